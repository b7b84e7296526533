"""How much an organization may ask in a minute, by its plan.

Each process counts for itself: behind N replicas an organization gets up to N times its rate.
"""

import math
import time
from dataclasses import dataclass
from http import HTTPStatus

from limits import RateLimitItemPerMinute
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
    """Counts requests.

    Args:
        settings: How many each plan has.
    """

    def __init__(self, settings: Settings) -> None:
        self._limits = {plan: RateLimitItemPerMinute(rate) for plan, rate in settings.rate_limits.items()}
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def take(self, principal: Principal, requests: int = 1) -> Allowance:
        """Count requests of somebody.

        Raises:
            ProblemError: Their organization has had all it may in this minute.
        """
        limit = self._limits.get(principal.plan, self._limits[STANDARD_PLAN])
        whose = principal.organization_id or principal.subject
        is_taken = self._limiter.hit(limit, "organization", whose, cost=requests)
        window = self._limiter.get_window_stats(limit, "organization", whose)
        allowance = Allowance(limit.amount, max(0, window.remaining), _seconds_until(window.reset_time))
        if not is_taken:
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"that was more than {limit.amount} requests in a minute",
                "ask again later",
                {**allowance.headers, "Retry-After": str(allowance.reset_seconds)},
            )
        return allowance


def _seconds_until(moment: float) -> int:
    return max(1, math.ceil(moment - time.time()))
