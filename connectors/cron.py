"""Cron lines of five fields: which ones are schedules, told before a scheduler would trip over them."""

from dataclasses import dataclass

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAYS = dict(enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), start=1))


@dataclass(frozen=True)
class _Field:
    """The values that one field may take; `names` stand for the first of them, one after the other."""

    lowest: int
    highest: int
    names: tuple[str, ...] = ()

    def values(self, text: str) -> set[int]:
        """The values a field selects: a list of `*`, values and ranges, each with a step or without.

        Raises:
            ValueError: It is no such list, or leaves the range.
        """
        return {value for item in text.lower().split(",") for value in self._item(item)}

    def _item(self, item: str) -> range:
        span, slash, step = item.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            low, high = self.lowest, self.highest
        else:
            low = self._value(first)
            high = self._value(last) if dash else self.highest if slash else low
        by = _number(step) if slash else 1
        if low > high or not 1 <= by <= self.highest:
            raise ValueError(item)
        return range(low, high + 1, by)

    def _value(self, text: str) -> int:
        value = self.lowest + self.names.index(text) if text in self.names else _number(text)
        if not self.lowest <= value <= self.highest:
            raise ValueError(text)
        return value


_FIELDS = (_Field(0, 59), _Field(0, 23), _Field(1, 31), _Field(1, 12, _MONTHS), _Field(0, 7, _WEEKDAYS))


def is_schedule(line: str) -> bool:
    """Whether `line` is a cron line: minute, hour, day, month and weekday, of a day that exists."""
    texts = line.split()
    if len(texts) != len(_FIELDS):
        return False
    try:
        _, _, days, months, _ = (field.values(text) for field, text in zip(_FIELDS, texts, strict=True))
    except ValueError:
        return False
    return min(days) <= max(_DAYS[month] for month in months)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text)
