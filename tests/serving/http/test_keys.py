"""Keys: who comes in by one, and who does not."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from serving.identity.keys import Keys, add_key, list_keys, revoke_key
from serving.identity.roles import Role
from tests.serving.http.conftest import Server
from warehouse.database import API, Warehouse
from warehouse.errors import DataInsightError, UnavailableError


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_a_key_that_is_valid_there_is_no_answer(server: Server) -> None:
    key = server.key("acme")
    ended = server.key("acme", expires_at=datetime.now(UTC) + timedelta(seconds=0.2))
    other = server.key("bolt")
    mixed = key[:16] + other[16:]
    told = set()
    for wrong in (None, "x", key[:-1], key[:-1] + ("A" if key[-1] != "A" else "B"), mixed, key.upper()):
        with server.client(wrong) as client:
            for answer in (client.ask("mrr"), client.get("/metrics"), client.get("/metrics/mrr")):
                assert answer.status_code == 401, wrong
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
                assert answer.headers["Content-Type"] == "application/problem+json"
                told.add(answer.json()["detail"])
    assert told == {"no key was given", "the key or token is not valid"}
    with server.client(ended) as client:
        while client.ask("mrr").status_code == 200:
            pass
        assert client.ask("mrr").json()["detail"] == "the key or token is not valid"


def test_a_key_stands_in_no_table_and_no_listing(warehouse: Warehouse) -> None:
    key = add_key(warehouse, Role.VIEWER, "acme", name="a notebook", actor="test")
    secret = key[16:]
    with warehouse.engine().connect() as connection:
        for table in ("app.api_keys", "app.audit_log"):
            stored = connection.execute(sa.text(f"select cast(t as text) from {table} as t")).scalars().all()
            assert stored
            assert secret not in str(stored)
    (listed,) = list_keys(warehouse)
    assert (listed.name, listed.organization_id, listed.role) == ("a notebook", "acme", "viewer")
    assert secret not in str(listed.to_dict())


def test_a_revoked_key_is_taken_for_some_seconds_at_most(warehouse: Warehouse) -> None:
    clock = Clock()
    keys = Keys(warehouse, clock)
    key = add_key(warehouse, Role.VIEWER, "acme", actor="test")
    principal = keys.principal(key)
    assert principal is not None
    assert principal.organization_id == "acme"

    revoke_key(warehouse, key, actor="test")
    assert Keys(warehouse).principal(key) is None
    clock.now += 9
    assert keys.known(key) == principal
    clock.now += 1
    assert keys.known(key) is None
    assert keys.principal(key) is None

    with pytest.raises(DataInsightError, match="there is no key"):
        revoke_key(warehouse, key, actor="test")
    with warehouse.engine().connect() as connection:
        assert connection.execute(sa.text("select action from app.audit_log order by 1")).scalars().all() == [
            "keys.add",
            "keys.revoke",
        ]


def test_a_known_key_is_good_while_no_connection_is_free(warehouse: Warehouse) -> None:
    known, unknown = (add_key(warehouse, Role.VIEWER, "acme", actor="test") for _ in range(2))
    narrow = sa.create_engine(warehouse.url_object, pool_size=1, max_overflow=0, pool_timeout=0.1)
    keys = Keys(Warehouse(warehouse.url_object, _engines={API: narrow}))
    principal = keys.principal(known)
    assert principal is not None
    with narrow.connect():
        assert keys.principal(known) == principal
        with pytest.raises(UnavailableError, match="cannot be checked"):
            keys.principal(unknown)
    narrow.dispose()


@pytest.mark.parametrize(("role", "organization"), [(Role.OPERATOR, "acme"), (Role.VIEWER, None), (Role.ADMIN, None)])
def test_a_key_belongs_to_an_organization_unless_it_is_an_operators(
    warehouse: Warehouse, role: Role, organization: str | None
) -> None:
    with pytest.raises(DataInsightError, match=r"across organizations|none was named"):
        add_key(warehouse, role, organization, actor="test")
    assert list_keys(warehouse) == []


def test_a_key_does_not_end_before_it_begins(warehouse: Warehouse) -> None:
    with pytest.raises(DataInsightError, match="ended on"):
        add_key(warehouse, Role.VIEWER, "acme", expires_at=datetime(2020, 1, 1, tzinfo=UTC), actor="test")


@pytest.mark.parametrize("change", ["update app.audit_log set actor = 'x'", "delete from app.audit_log"])
def test_the_audit_log_is_only_added_to(warehouse: Warehouse, change: str) -> None:
    add_key(warehouse, Role.VIEWER, "acme", actor="test")
    for role, complaint in ((API, "permission denied"), (None, "only ever added to")):
        with (
            warehouse.engine(role).begin() as connection,
            pytest.raises(sa.exc.DBAPIError, match=complaint),
        ):
            connection.execute(sa.text(change))
