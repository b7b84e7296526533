"""How long, and how often, a source that somebody else has configured may try again: others wait for it meanwhile.

Whoever writes `sources.yaml` has nobody's time but their own. Here it is said at once what is too long; that a source
ends in time whatever it says is made sure where it lands.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from warehouse.errors import DataInsightError
from warehouse.spans import parse_lag

# Of `timeout` and `patience` that is what a source has when nothing is said; no pause grows longer by itself.
_MOST_SECONDS = {"back_off": 60, "patience": 600, "timeout": 60}
_MOST_RETRIES = 10
# A day is the longest span that APIs count requests in.
_MOST_LIMIT_SECONDS = 86_400


def require_bounded(settings: Mapping[str, Any]) -> None:
    """Refuse the settings of a source that would keep others waiting; what is no span or number is no matter of this.

    Raises:
        DataInsightError: A span is too long, or there are too many tries.
    """
    for name, most in _MOST_SECONDS.items():
        if _seconds(settings.get(name)) > most:
            raise _beyond(name, f"{most} seconds")
    if _number(settings.get("retries")) > _MOST_RETRIES:
        raise _beyond("retries", str(_MOST_RETRIES))
    if any(_number(limit.get("seconds")) > _MOST_LIMIT_SECONDS for limit in _limits(settings)):
        raise _beyond("limits.seconds", f"{_MOST_LIMIT_SECONDS:,}")


def _beyond(name: str, most: str) -> DataInsightError:
    return DataInsightError(
        f"configuration.{name} is at most {most} in a datasource",
        hint="the sources of others wait for it; what does not answer now is asked again by the next run",
    )


def _limits(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every limit of requests, the source's own and those of its definition and tables."""
    for name, item in value.items() if isinstance(value, Mapping) else ():
        if name == "limits" and isinstance(item, list | tuple):
            yield from (limit for limit in item if isinstance(limit, Mapping))
        else:
            yield from _limits(item)


def _seconds(span: Any) -> float:
    try:
        found = parse_lag(span)
    except ValueError:
        return 0.0
    return found.total_seconds() if isinstance(found, timedelta) else 0.0


def _number(value: Any) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0
