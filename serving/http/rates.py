"""How much an organization may ask in a minute and report in a day, by its plan.

Each process counts for itself: behind N replicas an organization gets up to N times its rate.
"""

import math
import time
from dataclasses import dataclass
from http import HTTPStatus

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from serving.http.problems import ProblemError
from serving.identity.principal import Principal
from warehouse.settings import STANDARD_PLAN, Settings


@dataclass(frozen=True)
class Allowance:
    """What is left to somebody in this minute."""

    limit: int
    remaining: int
    reset_seconds: int

    @property
    def headers(self) -> dict[str, str]:
        """As clients know them."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_seconds),
        }


class Rates:
    """Counts requests and events.

    Args:
        settings: How many each plan has.
    """

    def __init__(self, settings: Settings) -> None:
        self._requests = {plan: RateLimitItemPerMinute(rate) for plan, rate in settings.rate_limits.items()}
        self._events = {plan: RateLimitItemPerDay(most) for plan, most in settings.event_limits.items()}
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def take(self, principal: Principal, requests: int = 1) -> Allowance:
        """Count requests of somebody.

        Raises:
            ProblemError: Their organization has had all it may in this minute.
        """
        limit = self._requests.get(principal.plan, self._requests[STANDARD_PLAN])
        whose = principal.organization_id or principal.subject
        is_taken = self._limiter.hit(limit, whose, cost=requests)
        window = self._limiter.get_window_stats(limit, whose)
        allowance = Allowance(limit.amount, max(0, window.remaining), _seconds_until(window.reset_time))
        if not is_taken:
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"that was more than {limit.amount} requests in a minute",
                "ask again later",
                {**allowance.headers, "Retry-After": str(allowance.reset_seconds)},
            )
        return allowance

    def require_events(self, plan: str, organization: str, events: int) -> None:
        """Find out whether an organization may report so many events more; those that are stored are counted.

        Raises:
            ProblemError: It has reported all it may in this day.
        """
        limit = self._day_of(plan)
        if events > limit.amount:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST, f"{events:,} events are more than the {limit.amount:,} of a whole day"
            )
        if not self._limiter.test(limit, organization, cost=events):
            # So long it takes until as many are forgotten, of those that came evenly over the day.
            seconds = math.ceil(limit.get_expiry() * events / limit.amount)
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"that would be more than {limit.amount:,} events in a day",
                "ask again later",
                {"Retry-After": str(seconds)},
            )

    def count_events(self, plan: str, organization: str, events: int) -> None:
        """Count events that were stored."""
        if events:
            self._limiter.hit(self._day_of(plan), organization, cost=events)

    def _day_of(self, plan: str) -> RateLimitItem:
        return self._events.get(plan, self._events[STANDARD_PLAN])


def _seconds_until(moment: float) -> int:
    return max(1, math.ceil(moment - time.time()))
