"""The star of a day that is gone, from raw alone."""

import pytest

from tests.dbt_project.landings import account, event, land, land_both_sources, subscription, ticket
from tests.dbt_project.project import Star


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
    assert star.contents("_as_of_2026_02_27_23_00")["fact_support_tickets"] == then["fact_support_tickets"]


@pytest.mark.parametrize(("said", "why"), [("9", "no published snapshot"), ("2025-01-01", "no published snapshot")])
def test_a_state_that_never_was_is_refused(star: Star, said: str, why: str) -> None:
    land_both_sources(star.warehouse)
    publish(star, "2026-01-31 12:00+00")

    statuses = star.project.run("build", "--vars", f"as_of: '{said}'", "--select", "stg_saas__accounts")

    assert statuses == {"stg_saas__accounts": "error"}
    assert why in str(star.project.messages["stg_saas__accounts"])


def test_a_state_whose_rows_were_pruned_is_refused(star: Star) -> None:
    land_both_sources(star.warehouse)
    publish(star, "2026-01-31 12:00+00")
    star.execute("update ops.batches set pruned_count = 2 where table_name = 'accounts'")

    statuses = star.project.run("build", "--vars", "as_of: 1", "--select", "stg_saas__accounts", "stg_saas__subscriptions")

    assert statuses["stg_saas__accounts"] == "error"
    assert "2 rows of saas.accounts were pruned" in str(star.project.messages["stg_saas__accounts"])
    assert statuses["stg_saas__subscriptions"] == "success"
