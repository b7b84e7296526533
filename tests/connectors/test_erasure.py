"""Erasing a person from raw: their rows stay and tell of nobody, those of others are as they were."""

import json
from typing import Any

import sqlalchemy as sa

from connectors.landing.erasure import erase_landed
from warehouse.database import LOADER, Warehouse
from warehouse.personal_data import PersonalTable
from warehouse.personal_rows import Whom

ACTORS = PersonalTable(
    organization=("org.login", "repo.name/"), identifies=("actor.id", "actor.login"), describes=("payload",)
)


def landed(warehouse: Warehouse, table: str, columns: str, rows: list[dict[str, Any]]) -> None:
    names = [one.split()[0] for one in columns.split(", ")]
    with warehouse.engine(LOADER).begin() as connection:
        connection.exec_driver_sql("create schema if not exists raw_made")
        connection.exec_driver_sql(f"create table raw_made.{table} ({columns}, _row_number bigint)")
        for number, row in enumerate(rows):
            connection.execute(
                sa.text(f"insert into raw_made.{table} values ({', '.join(f':{name}' for name in names)}, {number})"),
                {name: row.get(name) for name in names},
            )


def rows(warehouse: Warehouse, table: str) -> list[Any]:
    with warehouse.engine().connect() as connection:
        return list(connection.execute(sa.text(f"select * from {table} order by _row_number")))


def erased(
    warehouse: Warehouse, table: str, personal: PersonalTable, *called: str, organization: str | None = None
) -> dict[str, int]:
    counts: dict[str, int] = {}

    def touched(_connection: sa.Connection, name: str, changed: int) -> None:
        counts[name] = changed

    erase_landed(warehouse, "made", table, personal, Whom(called, organization), "a salt", touched)
    return counts


def event(number: int, actor: Any, *, org: str | None = "acme", repo: str = "acme/api") -> dict[str, Any]:
    return {
        "id": str(number),
        "actor": None if actor is None else json.dumps(actor),
        "repo": json.dumps({"name": repo}),
        "org": None if org is None else json.dumps({"login": org}),
        "payload": json.dumps({"title": f"by number {number}"}),
    }


EVENTS = "id text, actor text, repo text, org text, payload text"


def test_somebody_is_found_by_a_name_and_erased_under_every_name(warehouse: Warehouse) -> None:
    landed(
        warehouse,
        "events",
        EVENTS,
        [
            event(0, {"id": 7, "login": "ann", "url": "https://example.com/ann"}),
            event(1, {"id": 7, "login": "ann-before"}),
            event(2, {"id": 8, "login": "bea"}),
            event(3, {"login": "ann"}),
            event(4, {"id": 7, "login": "ann"}, org=None),
            event(5, None),
            event(6, "no document"),
        ],
    )
    before = rows(warehouse, "raw_made.events")
    assert erased(warehouse, "events", ACTORS, "ann") == {"raw_made.events": 4, "ops.quarantine": 0}
    after = rows(warehouse, "raw_made.events")
    assert [after[number] for number in (2, 5, 6)] == [before[number] for number in (2, 5, 6)]
    assert [after[number].payload for number in (0, 1, 3, 4)] == [None] * 4
    documents = [json.loads(after[number].actor) for number in (0, 1, 3, 4)]
    # The same value has the same name everywhere, and another value another: what was counted is counted alike.
    assert documents[0] == documents[3]
    assert documents[0]["id"] == documents[1]["id"]
    assert documents[0]["login"] == documents[2]["login"]
    assert documents[0]["login"] != documents[1]["login"]
    assert set(documents[0]) == {"id", "login"}
    assert set(documents[2]) == {"login"}
    assert all(value.startswith("erased-") for document in documents for value in document.values())
    assert [row.id for row in after] == [row.id for row in before]
    # Once more there is nobody.
    assert erased(warehouse, "events", ACTORS, "ann") == {"raw_made.events": 0, "ops.quarantine": 0}


def test_an_organization_erases_within_its_own_rows(warehouse: Warehouse) -> None:
    landed(
        warehouse,
        "events",
        EVENTS,
        [
            event(0, {"id": 7, "login": "ann"}),
            event(1, {"id": 7, "login": "ann"}, org="bolt"),
            event(2, {"id": 7, "login": "ann"}, org=None, repo="bolt/api"),
            event(3, {"id": 7, "login": "ann"}, org=None),
            event(4, {"id": 7, "login": "ann"}, org=None, repo="nobodys"),
        ],
    )
    before = rows(warehouse, "raw_made.events")
    assert erased(warehouse, "events", ACTORS, "ann", organization="acme")["raw_made.events"] == 2
    after = rows(warehouse, "raw_made.events")
    assert [number for number in range(5) if after[number] != before[number]] == [0, 3]
    assert erased(warehouse, "events", ACTORS, "7")["raw_made.events"] == 3


def test_numbers_stay_numbers_and_addresses_are_found_in_any_spelling(warehouse: Warehouse) -> None:
    landed(
        warehouse,
        "people",
        "shop text, customer_id bigint, written text, email text",
        [
            {"shop": "acme", "customer_id": 17850, "written": "17850.0", "email": "Ann@Example.com"},
            {"shop": "acme", "customer_id": 17851, "written": " 17850 ", "email": " ann@example.com "},
            {"shop": "acme", "customer_id": 17851, "written": "178500", "email": "bann@example.com"},
        ],
    )
    by_number = PersonalTable(organization=("shop",), identifies=("customer_id",))
    assert erased(warehouse, "people", by_number, "17850")["raw_made.people"] == 1
    found = rows(warehouse, "raw_made.people")
    assert found[0].customer_id < 0
    assert [row.customer_id for row in found[1:]] == [17851, 17851]

    by_text = PersonalTable(organization=("shop",), identifies=("written",))
    assert erased(warehouse, "people", by_text, "17850")["raw_made.people"] == 2
    found = rows(warehouse, "raw_made.people")
    assert found[0].written == found[1].written
    assert found[2].written == "178500"

    by_email = PersonalTable(organization=("shop",), identifies=("email",))
    assert erased(warehouse, "people", by_email, "ann@example.com")["raw_made.people"] == 2
    assert rows(warehouse, "raw_made.people")[2].email == "bann@example.com"


def test_a_table_that_never_landed_or_lacks_the_columns_is_left_alone(warehouse: Warehouse) -> None:
    assert erased(warehouse, "nothing", ACTORS, "ann") == {"ops.quarantine": 0}
    landed(warehouse, "old", "id text", [{"id": "ann"}])
    assert erased(warehouse, "old", ACTORS, "ann") == {"ops.quarantine": 0}
    landed(warehouse, "older", EVENTS.replace(", payload text", ""), [event(0, {"id": 1, "login": "ann"})])
    assert erased(warehouse, "older", ACTORS, "ann")["raw_made.older"] == 1


def test_rows_in_quarantine_are_emptied_and_those_of_others_stay(warehouse: Warehouse) -> None:
    payloads = [
        event(0, {"id": 7, "login": "ann"}),
        event(1, {"id": 8, "login": "bea"}),
        {"file": "f", "line": '{"actor": {"login": "ann"}, "org": "acme"', "reason": "cut short"},
        {"file": "f", "line": '{"actor": {"login": "joann"}, "org": "acme"', "reason": "cut short"},
        {"file": "f", "line": '{"actor": {"login": "ann"}, "org": "bolt"', "reason": "cut short"},
    ]
    with warehouse.engine().begin() as connection:
        batch = connection.execute(
            sa.text(
                "insert into ops.batches (source, table_name, row_count) values ('made', 'events', 5)"
                " returning batch_id"
            )
        ).scalar_one()
        other = connection.execute(
            sa.text(
                "insert into ops.batches (source, table_name, row_count) values ('made', 'others', 1)"
                " returning batch_id"
            )
        ).scalar_one()
        for batch_id, number, payload in [*((batch, *one) for one in enumerate(payloads)), (other, 0, payloads[0])]:
            connection.execute(
                sa.text(
                    "insert into ops.quarantine (batch_id, row_id, payload, failed_rules)"
                    " values (:batch_id, :row_id, cast(:payload as jsonb), '{a_rule}')"
                ),
                {"batch_id": batch_id, "row_id": number, "payload": json.dumps(payload)},
            )
    assert erased(warehouse, "events", ACTORS, "ann", organization="acme") == {"ops.quarantine": 2}
    with warehouse.engine().connect() as connection:
        kept = connection.execute(
            sa.text("select payload from ops.quarantine where batch_id = :batch order by row_id"), {"batch": batch}
        ).scalars()
        emptied = {"erased": True}
        assert list(kept) == [emptied, payloads[1], emptied, payloads[3], payloads[4]]
    assert erased(warehouse, "events", ACTORS, "ann") == {"ops.quarantine": 1}
