"""The made-up company that both demo data sets speak of: its customers, ids, days and dice.

All names are invented. Only integers and `random()` decide anything, so that every machine gets the same company.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

FIRST_DAY = date(2023, 1, 1)
LAST_DAY = date(2024, 12, 31)
ACCOUNTS = 300
USERS_PER_ACCOUNT = 2

INDUSTRIES = ("Cybersecurity", "DevTools", "EdTech", "FinTech", "HealthTech")
COUNTRIES = ("US", "US", "US", "US", "UK", "IN", "AU", "DE", "CA", "FR")
PLANS = ("Basic", "Pro", "Enterprise")
SEAT_PRICES_USD = {"Basic": 19, "Pro": 49, "Enterprise": 199}

_COLOURS = ("Amber", "Birch", "Copper", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Indigo", "Juniper")
_THINGS = ("Analytics", "Bridge", "Circuit", "Dock", "Engine", "Forge", "Grid", "Hive", "Insights", "Junction")
_ID_SPACE = 1 << 24
_ID_STEP = 0x9E3779  # Odd, so that no id comes twice within the space.

Item = TypeVar("Item")


@dataclass(frozen=True)
class Account:
    """A customer of the company."""

    account_id: str
    name: str
    industry: str
    country: str
    signed_up: date
    plan: str
    seats: int


class Dice:
    """Randomness that is the same everywhere, for one purpose of one seed."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._random = random.Random(f"{seed}/{purpose}")  # noqa: S311 - it makes up data, not secrets.

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        return int(self._random.random() * limit)

    def pick(self, items: Sequence[Item]) -> Item:
        """One of `items`."""
        return items[self.below(len(items))]

    def often(self, percent: int) -> bool:
        """True in `percent` of a hundred cases."""
        return self.below(100) < percent

    def day(self, first: date, last: date) -> date:
        """A day from `first` to `last`."""
        return first + timedelta(days=self.below(max((last - first).days, 0) + 1))


def made_id(prefix: str, seed: int, number: int) -> str:
    """An id such as `A-2e4581`; different numbers give different ids, up to 16 million."""
    return f"{prefix}-{(number * _ID_STEP + seed * 977) % _ID_SPACE:06x}"


def account_number(account: Account) -> int:
    """The number that its id writes in hexadecimal digits."""
    return int(account.account_id.partition("-")[2], 16)


def user_of(account: Account, dice: Dice) -> int:
    """One of the people of a customer, by the number that every data set knows them by."""
    return account_number(account) * USERS_PER_ACCOUNT + dice.below(USERS_PER_ACCOUNT)


def accounts(scale: int, seed: int) -> list[Account]:
    """The customers, in the order of their numbers; more of them sign up the later it gets."""
    dice = Dice(seed, "accounts")
    made = []
    for number in range(ACCOUNTS * scale):
        earliest = dice.day(FIRST_DAY, LAST_DAY)
        made.append(
            Account(
                account_id=made_id("A", seed, number),
                name=f"{dice.pick(_COLOURS)} {dice.pick(_THINGS)} {number}",
                industry=dice.pick(INDUSTRIES),
                country=dice.pick(COUNTRIES),
                signed_up=earliest if dice.often(50) else dice.day(earliest, LAST_DAY),
                plan=dice.pick(PLANS),
                seats=1 + dice.below(12) * dice.below(6) + dice.below(8),
            )
        )
    return made


def spread(clean: Iterable[Item], count: int, planted: Sequence[Item]) -> Iterator[Item]:
    """The `count` items of `clean` with those of `planted` spread evenly among them."""
    done = 0
    for number, item in enumerate(clean, start=1):
        yield item
        while done < len(planted) and number * (len(planted) + 1) >= (done + 1) * count:
            yield planted[done]
            done += 1
