"""What a publication writes: what changed and nothing else."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from serving.store_files import table_url
from tests.serving.conftest import Asking, Store
from warehouse.errors import DataInsightError

MONTHS = ["2024-01", "2024-02", "2024-03"]


def versions(store: Store) -> dict[str, int]:
    """The newest version of every Delta table, whether a snapshot names it or not."""
    root = Path(store.settings.metric_store_url)
    return {log.parent.name: DeltaTable(log.parent).version() for log in root.glob("*/_delta_log")}


def files(store: Store, mart: str) -> dict[str, set[str]]:
    """The data files of the newest version, by month."""
    found: dict[str, set[str]] = {}
    for uri in DeltaTable(table_url(store.settings.metric_store_url, mart)).file_uris():
        month = Path(uri).parent.name.removeprefix("partition_month=")
        found.setdefault(month, set()).add(uri)
    return found


def read(store: Store, mart: str) -> list[dict[str, Any]]:
    """All rows of a mart as a reader of Delta sees them."""
    table = DeltaTable(table_url(store.settings.metric_store_url, mart))
    return list(table.to_pyarrow_dataset().to_table().to_pylist())


def test_everything_is_published_once(store: Store) -> None:
    first = store.publish()

    assert first.published
    assert first.tables["fact_user_actions"].rows == 360
    assert first.rewritten["fact_user_actions"] == MONTHS
    assert first.rewritten["dim_plans"] == ["all"]
    before = versions(store)
    second = store.publish()
    assert not second.published
    assert (second.snapshot_id, second.rewritten) == (first.snapshot_id, {})
    assert versions(store) == before


def test_another_build_of_the_same_rows_is_a_new_snapshot_of_the_same_files(store: Store) -> None:
    first = store.publish()
    before = versions(store)

    second = store.publish("another build")

    assert second.published
    assert second.snapshot_id > first.snapshot_id
    assert second.rewritten == {}
    assert versions(store) == before


def test_only_a_new_month_is_written(store: Store) -> None:
    store.publish()
    before = files(store, "fact_user_actions")
    store.sql(
        "insert into marts.fact_user_actions values"
        " ('new', 'acme', 'u1', 'k1', 'PushEvent', '2024-05-01', '2024-05-01', 2)"
    )

    changed = store.publish()

    assert changed.rewritten == {"fact_user_actions": ["2024-05"]}
    after = files(store, "fact_user_actions")
    assert {month: after[month] for month in MONTHS} == before
    last = DeltaTable(table_url(store.settings.metric_store_url, "fact_user_actions")).history(1)[0]
    assert last["version"] == changed.tables["fact_user_actions"].version


def test_a_row_that_changes_its_organization_and_keeps_its_admission_is_seen(store: Store) -> None:
    store.publish()
    store.sql("update marts.fact_user_actions set organization_id = 'bolt' where user_action_id = 'a0'")
    assert store.publish().rewritten == {"fact_user_actions": ["2024-01"]}
    assert store.publish().rewritten == {}


def test_rows_written_again_as_they_were_are_not_published(store: Store) -> None:
    first = store.publish()
    store.sql("update marts.fact_user_actions set organization_id = organization_id where user_action_id = 'a0'")
    again = store.publish()
    assert (again.snapshot_id, again.rewritten) == (first.snapshot_id, {})


def test_a_correction_that_moves_a_row_rewrites_both_months(store: Store) -> None:
    store.publish()
    store.sql(
        "update marts.fact_user_actions set action_date = '2024-03-05', admission_seq = 2 where user_action_id = 'a0'"
    )

    assert store.publish().rewritten == {"fact_user_actions": ["2024-01", "2024-03"]}
    moved = [row for row in read(store, "fact_user_actions") if row["user_action_id"] == "a0"]
    assert [row["partition_month"] for row in moved] == ["2024-03"]


def test_a_month_without_rows_and_rows_without_a_month(store: Store) -> None:
    store.sql("alter table marts.fact_support_tickets alter submitted_date drop not null")
    store.publish()
    store.sql("update marts.fact_support_tickets set submitted_date = null where submitted_date >= '2024-02-01'")

    assert store.publish().rewritten == {"fact_support_tickets": ["2024-02", "2024-03", "none"]}
    assert store.latest().tables["fact_support_tickets"].partitions.keys() == {"2024-01", "none"}
    assert len(read(store, "fact_support_tickets")) == 60


def test_a_table_made_anew_is_written_only_where_it_differs(store: Store) -> None:
    store.publish()
    store.sql("create table marts.again as table marts.fact_churn_events")
    store.sql(
        "alter table marts.again alter churn_event_id set not null, alter organization_id set not null,"
        " alter churn_date set not null, alter admission_seq set not null"
    )
    store.sql("drop table marts.fact_churn_events; alter table marts.again rename to fact_churn_events")
    assert not store.publish().published

    # The admission stays the same: only the content says that the organization is another one.
    store.sql(
        "create table marts.again as select churn_event_id, 'bolt' as organization_id, churn_date, reason,"
        " is_reactivation, refund_usd, admission_seq from marts.fact_churn_events"
    )
    store.sql("drop table marts.fact_churn_events; alter table marts.again rename to fact_churn_events")
    store.publish()
    assert {row["organization_id"] for row in read(store, "fact_churn_events")} == {"bolt"}


def test_a_change_in_a_dimension_is_seen_without_admissions(store: Store) -> None:
    store.publish()
    store.sql("update marts.dim_organizations set country = 'FR' where organization_id = 'acme'")

    assert store.publish().rewritten == {"dim_organizations": ["all"]}


def test_a_changed_column_rewrites_the_table(store: Store) -> None:
    store.publish()
    store.sql("alter table marts.fact_user_actions add column device text")

    assert store.publish().rewritten == {"fact_user_actions": MONTHS}
    assert "device" in read(store, "fact_user_actions")[0]


def test_a_mart_that_is_gone_is_left_out_of_the_next_snapshot(store: Store) -> None:
    first = store.publish()
    store.sql("drop table marts.dim_features")

    second = store.publish()

    assert second.published
    assert first.tables.keys() - second.tables.keys() == {"dim_features"}


def test_values_arrive_as_they_are(store: Store) -> None:
    store.sql(
        "create table marts.dim_kinds as select 1.50::numeric(12,2) as money, 0.123456789::numeric as ratio,"
        " '2024-01-01'::date as day, '2024-01-01 10:00+02'::timestamptz as moment, true as truth, 7::int2 as small,"
        " 1.5::float8 as double, 'x'::varchar(9) as text, '{\"a\": 1}'::jsonb as document,"
        " null::numeric(5,1) as nothing"
    )
    store.publish()

    (row,) = read(store, "dim_kinds")
    assert row["money"] == Decimal("1.50")
    assert row["ratio"] == Decimal("0.123456789")
    assert (row["day"].isoformat(), row["moment"].isoformat()) == ("2024-01-01", "2024-01-01T08:00:00+00:00")
    assert (row["truth"], row["small"], row["double"], row["text"]) == (True, 7, 1.5, "x")
    assert (row["document"], row["nothing"]) == ('{"a": 1}', None)


def test_rows_are_sorted_for_the_reader_of_one_organization(store: Store) -> None:
    import pyarrow.parquet as pq

    store.publish()

    for paths in files(store, "fact_user_actions").values():
        for path in paths:
            rows = pq.ParquetFile(path).read(["organization_id", "action_date"]).to_pylist()
            keys = [(row["organization_id"], row["action_date"]) for row in rows]
            assert keys == sorted(keys)


def test_an_empty_mart_is_published_and_asked(store: Store, ask: Asking) -> None:
    store.sql("truncate marts.fact_churn_events")
    store.publish()

    assert store.latest().tables["fact_churn_events"].rows == 0
    assert ask.rows("churn_events", group_by=["churn_event__reason"]) == []


def test_a_store_that_was_lost_is_made_again(store: Store, ask: Asking) -> None:
    import shutil

    store.publish()
    shutil.rmtree(store.settings.metric_store_url)

    assert store.publish().published
    assert ask.rows("user_actions") == [[360]]


def test_only_its_owner_may_look_into_folders_that_are_made(store: Store, ask: Asking, tmp_path: Path) -> None:
    store.publish()
    ask.rows("mrr")
    for made in (Path(store.settings.metric_store_url), store.settings.home / "duckdb"):
        assert made.stat().st_mode & 0o777 == 0o700

    given = tmp_path / "given"
    given.mkdir()
    given.chmod(0o755)
    store.settings = store.settings.model_copy(update={"metric_store": str(given)})
    store.publish("there")
    assert given.stat().st_mode & 0o777 == 0o755


def test_a_missing_manifest_is_one_line(store: Store, tmp_path: Path) -> None:
    store.semantic_manifest = tmp_path / "nowhere.json"

    with pytest.raises(DataInsightError, match=r"nowhere\.json cannot be read"):
        store.publish()


def test_definitions_have_one_version_whatever_the_database(store: Store, tmp_path: Path) -> None:
    first = store.publish()
    text = store.semantic_manifest.read_text(encoding="utf-8")
    store.semantic_manifest = tmp_path / "semantic_manifest.json"
    store.semantic_manifest.write_text(text.replace('"nothing', '"another_database'), encoding="utf-8")

    assert store.publish().definition_version == first.definition_version


def test_a_path_with_odd_characters(store: Store, tmp_path: Path) -> None:
    odd = tmp_path / "it's a “store” % [1] *"
    store.settings = store.settings.model_copy(update={"metric_store": str(odd)})
    store.publish()
    from serving.metrics import Metrics

    asking = Asking(Metrics(store.settings, store.warehouse))
    assert asking.rows("user_actions", time_range={"start": "2024-02-01", "end": "2024-02-29"}) == [[116]]
    asking.metrics.close()
