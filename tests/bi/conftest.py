"""The demo company, landed and built by real commands, and the login of one of its organizations."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support import Platform


@dataclass(frozen=True)
class Tenant:
    """An organization and the URL by which it reaches the warehouse."""

    organization_id: str
    url: str


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform with a server of its own, kept up as for any BI tool, and everything published."""
    folder = tmp_path_factory.mktemp("bi")
    platform = Platform(folder, {"DATAINSIGHT_HOME": str(folder / "home")})
    started = platform("warehouse", "start")
    assert started.returncode == 0, started.stderr
    try:
        platform.run()
        yield platform
    finally:
        platform("warehouse", "stop")


@pytest.fixture(scope="session")
def tenant(platform: Platform) -> Tenant:
    """The organization with the largest revenue."""
    revenue = platform.metric("mrr", "--by", "organization", "--order-by", "-mrr", "--limit", "1")
    organization_id = str(revenue[0][0])
    return Tenant(organization_id, platform.json("tenants", "add", organization_id)["url"])
