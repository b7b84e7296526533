"""The star of a day that is gone, from raw alone."""

import hashlib

import pytest
from dbt_common.exceptions import DbtRuntimeError

from tests.dbt_project.landings import account, event, land, land_both_sources, subscription, ticket
from tests.dbt_project.project import Star


def digest(said: str) -> str:
    return hashlib.md5(said.encode(), usedforsecurity=False).hexdigest()[:8]


def publish(star: Star, at: str) -> None:
    star.execute(
        "insert into ops.snapshots (published_at, tables, admission_seq, checks, definition_version, fingerprint)"
        f" select '{at}', '{{}}', max(admission_seq), '{{}}', 'v', 'f' from ops.batches"
    )


def test_the_star_of_a_snapshot_is_built_beside_that_of_today(star: Star) -> None:
    land_both_sources(star.warehouse)
    star.build()
    then = star.contents()
    publish(star, "2026-01-31 12:00+00")
    land(star.warehouse, "saas.accounts", [account("acme", plan_tier="Enterprise"), account("initech")])
    land(star.warehouse, "saas.subscriptions", [subscription("s1", mrr_amount="900"), subscription("s7", "initech")])
    land(star.warehouse, "saas.support_tickets", [ticket("t1", "globex"), ticket("t5", "initech")])
    land(star.warehouse, "github.events", [event(1, created_at="2025-01-01T00:00:00Z"), event(77, org="initech")])
    star.build_again()
    today = star.contents()
    publish(star, "2026-02-28 12:00+00")

    star.build_again("--vars", "as_of: 1")
    assert star.contents("_as_of_1") == then
    assert star.contents() == today

    # By time: what was served then.
    star.build_again("--vars", "as_of: '2026-02-27 23:00'", "--select", "+fact_support_tickets")
    suffix = f"_as_of_2026_02_27_23_00_{digest('2026-02-27 23:00')}"
    assert star.contents(suffix)["fact_support_tickets"] == then["fact_support_tickets"]


def test_no_two_times_share_a_schema(star: Star) -> None:
    land_both_sources(star.warehouse)
    publish(star, "2026-01-31 12:00+00")
    land(star.warehouse, "saas.accounts", [account("initech")])
    publish(star, "2026-01-31 17:00+00")
    # All of them are spelt with the same digits, and two are before the second publication or after it.
    accounts = {"2026-01-31 18:00+02": 2, "2026-01-31 18:00-02": 3, "2026-01-31 18:00:02": 3}

    for said in accounts:
        star.build_again("--vars", f"as_of: '{said}'", "--select", "stg_saas__accounts")

    schemas = {f"staging_as_of_2026_01_31_18_00_02_{digest(said)}": count for said, count in accounts.items()}
    assert len(schemas) == 3
    assert {name for (name,) in star.rows("select nspname from pg_namespace where nspname ~ '^staging_as'")} == set(
        schemas
    )
    for schema, count in schemas.items():
        assert star.rows(f"select count(*) from {schema}.stg_saas__accounts") == [(count,)]


SCHEMAS = "select nspname from pg_namespace where nspname ~ '_as_of_' order by 1"


def refusal(star: Star, *arguments: str) -> str:
    """What dbt says instead of building anything."""
    with pytest.raises(DbtRuntimeError) as caught:
        star.project.run("build", *arguments)
    return str(caught.value.msg)


@pytest.mark.parametrize("said", ["9", "0", "2025-01-01", "yesterday", "31.01.2026"])
def test_a_state_that_never_was_is_refused_once_and_leaves_nothing(star: Star, said: str) -> None:
    land_both_sources(star.warehouse)
    publish(star, "2026-01-31 12:00+00")
    publish(star, "2026-02-28 12:00:30.5+00")

    assert refusal(star, "--vars", f"as_of: '{said}'") == (
        f"as_of: {said} is no published snapshot; say a number, 1 to 2, or a time from 2026-01-31 12:00:00 on, in UTC"
    )
    assert star.rows(SCHEMAS) == []


def test_before_the_first_publication_there_is_no_state_to_build(star: Star) -> None:
    assert refusal(star, "--vars", "as_of: 1") == "as_of: 1 is no published snapshot; nothing has been published yet"
    assert star.rows(SCHEMAS) == []


def test_a_state_whose_rows_were_pruned_is_refused_once_and_leaves_nothing(star: Star) -> None:
    land_both_sources(star.warehouse)
    publish(star, "2026-01-31 12:00+00")
    star.execute(
        "update ops.batches set pruned_count = 2 where table_name = 'accounts'",
        "update ops.batches set pruned_count = 1 where table_name = 'invoices'",
    )

    assert refusal(star, "--vars", "as_of: 1") == (
        "the state as of 1 cannot be built: 2 rows of saas.accounts, 1 row of saas.invoices were pruned from raw since"
    )
    assert star.rows(SCHEMAS) == []

    # Of what was not pruned it can be.
    selected = ("--vars", "as_of: 1", "--select", "stg_saas__subscriptions")
    assert star.build(*selected) == {"stg_saas__subscriptions": "success"}

    # Also where the schemas have been made before.
    star.execute("update ops.batches set pruned_count = 3 where table_name = 'subscriptions'")
    assert "3 rows of saas.subscriptions were pruned" in refusal(star, *selected)


def test_what_lay_beside_a_dropped_fact_goes_with_the_next_build(star: Star) -> None:
    land_both_sources(star.warehouse)
    publish(star, "2026-01-31 12:00+00")
    star.build("--vars", "as_of: 1", "--select", "+fact_feature_usage")
    beside = "select relname from pg_class where relnamespace = 'partitions'::regnamespace and relkind = 'r'"
    keys = f"{beside} and relname like 'keys_%'"
    assert len(star.rows(keys)) == 1

    star.execute(*(f"drop schema {schema} cascade" for (schema,) in star.rows(SCHEMAS)))
    assert star.rows(beside) == star.rows(keys) != []

    star.build("--select", "dim_dates")
    assert star.rows(beside) == []


BATCHES = "select batch_id, status, admission_number from {schema}.fact_batches order by 1"
ASKED = "select query_id from {schema}.fact_metric_queries order by 1"


def test_the_ledger_of_a_snapshot_has_what_had_happened_by_then(star: Star) -> None:
    admitted = land(star.warehouse, "github.events", [event(1)])
    refused = land(star.warehouse, "github.events", [event(2)], status="refused")
    waiting = land(star.warehouse, "github.events", [event(3)], status="landed")
    star.execute("update ops.batches set landed_at = '2026-01-31 10:00+00'")
    publish(star, "2026-01-31 12:00+00")
    star.execute(
        "update ops.batches set status = 'admitted', admission_seq = nextval('ops.admission_seq')"
        f" where batch_id = {waiting}"
    )
    land(star.warehouse, "github.events", [event(4)], status="refused")
    star.execute(
        "insert into ops.metric_queries (asked_at, metrics, group_by, milliseconds, outcome, admission_seq)"
        " values ('2026-01-31 11:00+00', '{}', '{}', 1, 'failed', null),"
        " ('2026-01-31 15:00+00', '{}', '{}', 1, 'answered', 1)"
    )

    star.build("--vars", "as_of: 1", "--select", "+fact_batches", "+fact_metric_queries")
    assert star.rows(BATCHES.format(schema="marts_as_of_1")) == [
        (admitted, "admitted", 1),
        (refused, "refused", None),
        (waiting, "landed", None),
    ]
    assert star.rows(ASKED.format(schema="marts_as_of_1")) == [(1,)]

    # The snapshot was still served at that time, but more had been asked.
    star.build_again("--vars", "as_of: '2026-01-31 18:00'", "--select", "+fact_metric_queries")
    ((schema,),) = star.rows("select nspname from pg_namespace where nspname like 'marts_as_of_2026%'")
    assert star.rows(ASKED.format(schema=schema)) == [(1,), (2,)]
