"""The ledger as the rooms use it."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from warehouse.database import Warehouse
from warehouse.errors import DataInsightError
from warehouse.ledger import LandedFile, Landing, files_of, get_batch, list_batches, newest_admission, record_landing
from warehouse.portions import Portion


def a_landing(table: str = "accounts", load_id: str | None = "1.5", **changes: object) -> Landing:
    file = LandedFile("/data/a.csv", 10, datetime(2024, 1, 1, tzinfo=UTC), "abc", 3, 1, ["id", "name"])
    values = {"source": "saas", "schema_version": "v1", "key_columns": ["id"], "row_count": 3, "files": [file]}
    return Landing(**(values | {"table_name": table, "load_id": load_id} | changes))  # type: ignore[arg-type]


def test_a_landing_is_one_batch_with_its_files_and_unreadable_lines(warehouse: Warehouse) -> None:
    bad = {"file": "/data/a.csv", "line": 3, "text": "x", "reason": "1 field where 2 are expected"}
    with warehouse.engine().begin() as connection:
        batch_id = record_landing(connection, a_landing(unreadable={3: (bad, "unreadable_line")}))
        batch = get_batch(connection, batch_id)
        assert (batch.name, batch.status, batch.row_count, batch.quarantined_count) == ("saas.accounts", "landed", 3, 1)
        assert batch.key_columns == ["id"]
        assert [file["path"] for file in files_of(connection, batch_id)] == ["/data/a.csv"]
        row = connection.execute(sa.text("select row_id, payload, failed_rules from ops.quarantine")).one()
        assert tuple(row) == (3, bad, ["unreadable_line"])


def test_a_load_of_a_table_is_recorded_once(warehouse: Warehouse) -> None:
    with warehouse.engine().begin() as connection:
        record_landing(connection, a_landing())
    with pytest.raises(sa.exc.IntegrityError), warehouse.engine().begin() as connection:
        record_landing(connection, a_landing())


def test_batches_are_listed_newest_first_and_narrowed(warehouse: Warehouse) -> None:
    with warehouse.engine().begin() as connection:
        ids = [record_landing(connection, a_landing(load_id=str(n))) for n in range(3)]
        refused = record_landing(connection, a_landing(load_id=None, status="refused", files=[]))
        assert [batch.batch_id for batch in list_batches(connection)] == [refused, *reversed(ids)]
        assert [batch.batch_id for batch in list_batches(connection, status="refused")] == [refused]
        assert [batch.batch_id for batch in list_batches(connection, batch_ids=ids[:2], portion=Portion(limit=1))] == [
            ids[1]
        ]
        assert list_batches(connection, source="other") == []


def test_a_batch_that_is_not_there_is_a_clear_error(warehouse: Warehouse) -> None:
    with warehouse.engine().connect() as connection, pytest.raises(DataInsightError, match="no batch 77"):
        get_batch(connection, 77)


def test_an_admitted_batch_has_an_admission_seq_and_no_other_has(warehouse: Warehouse) -> None:
    with warehouse.engine().begin() as connection:
        batch_id = record_landing(connection, a_landing())
        assert newest_admission(connection) == 0
    with pytest.raises(sa.exc.IntegrityError), warehouse.engine().begin() as connection:
        connection.execute(sa.text("update ops.batches set status = 'admitted' where batch_id = :id"), {"id": batch_id})
