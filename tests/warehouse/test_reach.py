"""Which addresses somebody else's source may be read from."""

import threading

import pytest

from warehouse.errors import DataInsightError
from warehouse.reach import Reach

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"]
OURS = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",  # noqa: S104 - it is looked at, and nobody listens there.
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1%eth0",
    "fd00::1",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached(address: str) -> None:
    assert Reach().allows(address)


@pytest.mark.parametrize("address", OURS)
def test_the_platforms_own_network_is_not(address: str) -> None:
    assert not Reach().allows(address)


def test_a_network_may_be_allowed() -> None:
    reach = Reach(("10.20.0.0/16", "fd00::/8"))
    assert reach.allows("10.20.3.4")
    assert reach.allows("::ffff:10.20.3.4")
    assert reach.allows("fd00::1")
    assert not reach.allows("10.21.3.4")
    assert not reach.allows("127.0.0.1")


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "127.0.0.1", "::1"])
def test_a_name_is_what_it_stands_for(host: str) -> None:
    with pytest.raises(DataInsightError, match="cannot be found, or is at an address that this source may not reach"):
        Reach().addresses(host)


@pytest.mark.parametrize("host", ["", "no-such-host.invalid", "a..b", "x" * 300, "\N{SNOWMAN}" * 80])
def test_what_is_not_there_is_refused_in_the_same_words(host: str) -> None:
    with pytest.raises(DataInsightError, match="cannot be found, or is at an address that this source may not reach"):
        Reach(("0.0.0.0/0", "::/0")).addresses(host or "no-such-host.invalid")


def test_allowed_names_tell_their_addresses() -> None:
    assert Reach(("127.0.0.0/8",)).addresses("127.0.0.1") == ["127.0.0.1"]


def test_all_of_several_must_be_in_reach() -> None:
    reach = Reach(("127.0.0.0/8",))
    reach.require_all([])
    reach.require_all(["127.0.0.1", "127.0.0.2", "127.0.0.1"])
    with pytest.raises(DataInsightError, match=r"the host 10\.0\.0\.1 cannot be found, or is at an address"):
        reach.require_all(["127.0.0.1", "10.0.0.1"])


class Waiting(Reach):
    """As if a name server did not answer until it is told to."""

    answered = threading.Event()
    asked: list[str] = []  # noqa: RUF012 - of the one test.

    def addresses(self, host: str) -> list[str]:
        self.asked.append(host)
        self.answered.wait()
        return []


def test_a_name_server_that_does_not_answer_keeps_nobody_waiting() -> None:
    reach = Waiting()
    with pytest.raises(DataInsightError, match=r"the hosts could not be looked up within 0\.05 s"):
        reach.require_all(["one.example", "other.example"], seconds=0.05)
    reach.answered.set()
    for thread in threading.enumerate():
        if thread.name == "look-up":
            thread.join()
    # Nobody waits for the others any more.
    assert reach.asked == ["one.example"]
