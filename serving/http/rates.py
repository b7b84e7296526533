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
    """What is left to somebody in this minute, or day."""

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
        return self._take(limit, whose, requests, f"that was more than {limit.amount} requests in a minute")

    def take_events(self, principal: Principal, events: int) -> None:
        """Count events that somebody reports.

        Raises:
            ProblemError: Their organization has reported all it may in this day.
        """
        limit = self._events.get(principal.plan, self._events[STANDARD_PLAN])
        whose = principal.organization_id or principal.subject
        self._take(limit, whose, events, f"that would be more than {limit.amount:,} events in a day")

    def _take(self, limit: RateLimitItem, whose: str, cost: int, refusal: str) -> Allowance:
        is_taken = self._limiter.hit(limit, whose, cost=cost)
        window = self._limiter.get_window_stats(limit, whose)
        allowance = Allowance(limit.amount, max(0, window.remaining), _seconds_until(window.reset_time))
        if not is_taken:
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                refusal,
                "ask again later",
                {**allowance.headers, "Retry-After": str(allowance.reset_seconds)},
            )
        return allowance


def _seconds_until(moment: float) -> int:
    return max(1, math.ceil(moment - time.time()))
