"""How often somebody may guess: so many times for an account, and for an address, in a quarter of an hour.

Each process counts for itself. Only logins are counted here: no guess at a password keeps a key from working.
"""

import ipaddress
import math
import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from serving.identity.refusals import TooManyAttemptsError
from warehouse.settings import Settings

_MINUTES = 15
# Behind one address may be a whole office.
_PEOPLE_BEHIND_AN_ADDRESS = 10
# Whoever has one address of a network of IPv6 has all of it.
_IPV6_NETWORK = 64


class Attempts:
    """Counts guesses.

    Args:
        settings: How many an account has.
    """

    def __init__(self, settings: Settings) -> None:
        self._of_account = RateLimitItemPerMinute(settings.login_attempts, _MINUTES)
        self._of_address = RateLimitItemPerMinute(settings.login_attempts * _PEOPLE_BEHIND_AN_ADDRESS, _MINUTES)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def take(self, address: str, account: str | None = None) -> None:
        """Count a guess, before it is looked at: of many at once, no more are answered than one after the other.

        Args:
            address: Where it comes from.
            account: Whom it is about, whether there is such an account or not.

        Raises:
            TooManyAttemptsError: There were too many.
        """
        self._hit(self._of_address, "address", _network(address))
        if account is not None:
            self._hit(self._of_account, "account", account)

    def forget(self, account: str) -> None:
        """Count anew: whoever it was has shown that it is their account."""
        self._limiter.clear(self._of_account, "account", account)

    def _hit(self, limit: RateLimitItem, kind: str, whose: str) -> None:
        if not self._limiter.hit(limit, kind, whose):
            reset = self._limiter.get_window_stats(limit, kind, whose).reset_time
            raise TooManyAttemptsError(max(1, math.ceil(reset - time.time())))


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004  The version of the protocol is its name.
        return str(parsed)
    return str(ipaddress.ip_network((parsed, _IPV6_NETWORK), strict=False))
