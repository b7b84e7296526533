"""Which addresses a source that somebody else has configured may be read from: public ones, and those allowed besides.

Without this, whoever may add a source could read through the platform what only its own network may: its databases, the
machine's own ports, a cloud's metadata.
"""

import socket
import threading
import time
from collections.abc import Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from warehouse.errors import DataInsightError

_LOOK_UP_SECONDS = 10.0
# RFC 6052, 2.1: the last four bytes of these are an address of the old sort.
_TRANSLATED = ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Reach:
    """What may be reached.

    Attributes:
        networks: Besides public addresses, as `10.20.0.0/16`.
    """

    networks: Sequence[str] = ()

    def allows(self, address: str) -> bool:
        """Whether an IP address may be connected to."""
        found = _meant(address)
        if any(found in ip_network(network) for network in self.networks):
            return True
        is_local = isinstance(found, IPv6Address) and found.is_site_local
        return found.is_global and not (found.is_multicast or found.is_reserved or is_local)

    def addresses(self, host: str) -> list[str]:
        """The addresses that a name stands for at this moment, each of which may be reached.

        Raises:
            DataInsightError: There is none, or one of them may not be reached; which of the two is not said, for that
                would tell which names the platform's own network has.
        """
        try:
            found = [str(one[4][0]) for one in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
        except (OSError, ValueError):
            found = []
        if not found or not all(self.allows(address) for address in found):
            raise DataInsightError(
                f"the host {host} cannot be found, or is at an address that this source may not reach",
                hint="public addresses may be reached, and those of DATAINSIGHT_SOURCE_NETWORKS, which whoever runs the"
                " platform sets",
            )
        return found

    def require_all(self, hosts: Collection[str], seconds: float = _LOOK_UP_SECONDS) -> None:
        """Make sure that each of these names may be reached; each is looked up once, all of them within a time.

        Raises:
            DataInsightError: One of them may not be (see `addresses`), or their name servers take too long.
        """
        end = time.monotonic() + seconds
        found: Future[None] = Future()

        def look_up() -> None:
            try:
                for host in dict.fromkeys(hosts):
                    if time.monotonic() > end:
                        return
                    self.addresses(host)
                found.set_result(None)
            except BaseException as error:  # noqa: BLE001 - raised where it is waited for.
                found.set_exception(error)

        # No look-up can be ended, and whose name server it is may keep it waiting: then the thread is left behind,
        # which begins no other.
        threading.Thread(target=look_up, name="look-up", daemon=True).start()
        try:
            found.result(seconds)
        except TimeoutError:
            raise DataInsightError(
                f"the hosts could not be looked up within {seconds:g} s", hint="try again when their names are answered"
            ) from None


def _meant(address: str) -> IPv4Address | IPv6Address:
    """The address that a connection ends at: those of the old sort are written in several ways as ones of the new."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv4Address):
        return found
    inside = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo is not None else None)
    if inside is None and found in _TRANSLATED:
        inside = IPv4Address(found.packed[-4:])
    return found if inside is None else inside
