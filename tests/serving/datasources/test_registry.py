"""What is looked at for a change may take seconds: nobody waits for it, and nothing is overwritten meanwhile."""

from pathlib import Path
from typing import Any

import pytest

from serving.datasources.registry import Datasources
from serving.identity.principal import Principal
from serving.identity.refusals import NotFoundError
from serving.identity.roles import Role
from warehouse.database import Warehouse
from warehouse.datasources import Datasource, rest_folder
from warehouse.errors import UnavailableError
from warehouse.settings import Settings

API = {"catalog": "stripe", "parameters": {"api_key": "sk_live"}}
ADMIN = Principal("key:0123456789ab", "acme", Role.ADMIN)


@pytest.fixture
def datasources(settings: Settings, warehouse: Warehouse) -> Datasources:
    """As an admin of `acme` may change them."""
    return Datasources(settings, warehouse, ADMIN)


class Overtaken(Datasources):
    """Somebody else changes, or deletes, what is being changed, while its hosts are looked up."""

    deletes = False

    def _checked(self, kind: str, configuration: dict[str, Any], former: Datasource | None = None) -> Any:
        other = Datasources(self.settings, self.warehouse, self.actor)
        assert former is not None
        if self.deletes:
            other.delete(former.datasource_id)
        else:
            # This would wait for ever if the row were locked meanwhile.
            other.change(former.datasource_id, "by somebody else", None)
        return super()._checked(kind, configuration, former)


class Removed(Overtaken):
    deletes = True


def test_what_somebody_else_changes_meanwhile_is_not_overwritten(datasources: Datasources) -> None:
    made = datasources.add("acme", "ours", "rest", API)
    slow = Overtaken(datasources.settings, datasources.warehouse, ADMIN)
    with pytest.raises(UnavailableError, match="was changed at the same moment"):
        slow.change(made.datasource_id, "mine", {**API, "retries": 3})
    found = datasources.get(made.datasource_id)
    assert (found.name, found.configuration) == ("by somebody else", made.configuration)


def test_what_somebody_else_deletes_meanwhile_stays_deleted(datasources: Datasources) -> None:
    made = datasources.add("acme", "ours", "rest", API)
    with pytest.raises(NotFoundError):
        Removed(datasources.settings, datasources.warehouse, ADMIN).change(made.datasource_id, None, API)
    assert datasources.listed() == []


def test_what_an_api_told_it_to_keep_goes_with_a_datasource(datasources: Datasources, settings: Settings) -> None:
    made = datasources.add("acme", "ours", "rest", API)
    another = rest_folder(settings.home, "shop")
    for folder in (rest_folder(settings.home, made.datasource_id), another):
        folder.mkdir(parents=True)
        (folder / "refresh_token.json").write_text("{}")
    datasources.delete(made.datasource_id)
    assert list((Path(settings.home) / "rest").iterdir()) == [another]
