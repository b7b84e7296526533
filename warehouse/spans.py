"""Spans of time, and numbers in their place, as people write them: `2 days`, `10 minutes`, `500`."""

import re
from datetime import timedelta
from decimal import Decimal

Lag = timedelta | Decimal | None
_LAG = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(seconds?|minutes?|hours?|days?|weeks?)?\s*", re.IGNORECASE)


def parse_lag(text: str | float | None) -> Lag:
    """`2 days` as a span of time, a bare number as a number.

    Raises:
        ValueError: It is neither.
    """
    if text is None:
        return None
    match = _LAG.fullmatch(str(text))
    if match is None:
        raise ValueError("must be a number, or a number of seconds, minutes, hours, days or weeks")
    number, unit = match.groups()
    if unit is None:
        return Decimal(number)
    try:
        return timedelta(**{f"{unit.lower().rstrip('s')}s": float(number)})
    except OverflowError:
        raise ValueError("must be a span of less than a billion days") from None
