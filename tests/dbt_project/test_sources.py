"""A source, a table or a column that is not there leaves its part of the star empty and breaks nothing."""

import pytest

from tests.dbt_project.landings import account, event, land, land_both_sources, land_deletions, subscription, ticket
from tests.dbt_project.project import Star
from warehouse.database import LOADER

EMPTY = [
    "dim_features",
    "dim_users",
    "fact_churn_events",
    "fact_feature_usage",
    "fact_organization_months",
    "fact_subscription_months",
    "fact_subscriptions",
    "fact_support_tickets",
    "fact_user_actions",
]

ACCOUNTS = ("--select", "+dim_accounts", "+fact_support_tickets")


def _counts(star: Star) -> dict[str, int]:
    return {name: star.rows(f"select count(*) from {schema}.{name}")[0][0] for name, schema in star.marts().items()}


def test_without_any_source_the_star_stands_empty_and_fills_when_one_comes(star: Star) -> None:
    star.build(unit_tests=True)

    counts = _counts(star)
    assert {name: counts[name] for name in EMPTY} == dict.fromkeys(EMPTY, 0)
    assert counts["dim_plans"] == 1
    assert counts["dim_organizations"] == 1
    assert counts["dim_dates"] > 20_000

    land(star.warehouse, "github.events", [event(1)])
    star.build()

    assert _counts(star)["fact_user_actions"] == 1
    assert star.rows("select organization_id from marts.dim_organizations order by 1") == [("(unknown)",), ("acme",)]


def test_every_statement_is_known_before_anything_is_built(star: Star) -> None:
    """So that the page about the models can be made at once."""
    assert set(star.project.run("compile").values()) == {"success"}


def test_the_subscription_company_alone_is_enough(star: Star) -> None:
    land(star.warehouse, "saas.accounts", [account("acme")])
    land(star.warehouse, "saas.subscriptions", [subscription("s1")])

    star.build()

    counts = _counts(star)
    assert (counts["fact_subscriptions"], counts["fact_user_actions"], counts["dim_users"]) == (1, 0, 0)
    assert counts["fact_organization_months"] == 1


def test_a_column_that_was_never_landed_is_null(star: Star) -> None:
    land(star.warehouse, "saas.support_tickets", [ticket("t1")], columns="ticket_id account_id submitted_at")

    star.build("--select", "+fact_support_tickets")

    assert star.rows("select ticket_id, priority, closed_at from marts.fact_support_tickets") == [("t1", None, None)]


def test_a_raw_table_that_may_not_be_read_is_an_error_not_an_empty_table(star: Star) -> None:
    land(star.warehouse, "github.events", [event(1)])
    star.execute("revoke all on raw_github.events from transformer")

    with pytest.raises(AssertionError, match="permission denied for table events"):
        star.build("--select", "+fact_user_actions")


def test_what_a_complete_copy_no_longer_has_is_gone_until_it_comes_back(star: Star) -> None:
    land(star.warehouse, "saas.accounts", [account("acme"), account("beta")])
    with star.warehouse.engine(LOADER).begin() as connection:
        connection.exec_driver_sql("alter table raw_saas.accounts add column _dlt_deleted boolean")
    second = land(star.warehouse, "saas.accounts", [account("acme")])
    with star.warehouse.engine().begin() as connection:
        connection.exec_driver_sql(
            "insert into raw_saas.accounts (account_id, _dlt_deleted, _row_number, _dlt_load_id)"
            f" select 'beta', true, 2, load_id from ops.batches where batch_id = {second}"
        )
    star.build("--select", "stg_saas__accounts")
    assert star.rows("select account_id from staging.stg_saas__accounts") == [("acme",)]

    land(star.warehouse, "saas.accounts", [account("beta")])
    star.build("--select", "stg_saas__accounts")
    assert star.rows("select account_id from staging.stg_saas__accounts order by 1") == [("acme",), ("beta",)]


def test_an_account_that_is_gone_leaves_its_organization_without_one(star: Star) -> None:
    members = (
        "select version_number, industry, name, country, has_account, is_current from marts.dim_organizations"
        " where organization_id = 'acme' order by 1"
    )
    land_both_sources(star.warehouse)
    land(star.warehouse, "saas.accounts", [account("acme", industry="DevTools")])
    star.build(*ACCOUNTS)
    land_deletions(star.warehouse, "saas.accounts", "acme")
    star.build_again(*ACCOUNTS)

    # Facts carry the keys of its versions; what it was then stays.
    assert star.rows(members) == [
        (1, "EdTech", "acme", None, False, False),
        (2, "DevTools", "acme", None, False, True),
    ]
    assert star.rows("select account_id, has_arrived from marts.dim_accounts order by 1") == [
        ("(unknown)", False),
        ("acme", False),
        ("globex", True),
    ]
    contents = star.contents()
    star.build_again("--full-refresh", *ACCOUNTS)
    assert star.contents() == contents

    land(star.warehouse, "saas.accounts", [account("acme", industry="DevTools")])
    star.build_again(*ACCOUNTS)
    assert star.rows(members) == [
        (1, "EdTech", "acme Inc", "US", True, False),
        (2, "DevTools", "acme Inc", "US", True, True),
    ]


def test_of_a_table_without_a_key_only_the_newest_complete_copy_is_read(star: Star) -> None:
    for number in (1, 2):
        batch_id = land(star.warehouse, "github.events", [event(number)])
        with star.warehouse.engine().begin() as connection:
            connection.exec_driver_sql(f"update ops.batches set is_complete = true where batch_id = {batch_id}")
    land(star.warehouse, "github.events", [event(3)])
    star.build("--select", "stg_github__events")
    assert star.rows("select count(*) from staging.stg_github__events") == [(2,)]


def test_a_source_that_is_not_configured_leaves_its_models_out(star: Star) -> None:
    shop = {"dim_customers", "dim_products", "fact_invoice_lines"}
    always = {"dim_dates", "dim_organizations", "fact_batches", "fact_metric_queries", "fact_quality_results"}

    star.build("--vars", "sources: [online_retail]")
    assert set(star.marts()) == shop | always
    assert star.rows("select count(*) from marts.fact_invoice_lines") == [(0,)]

    # What another source fills comes when it is configured, and what was there stays.
    land(star.warehouse, "github.events", [event(1)])
    star.build("--vars", "sources: [github, online_retail]")
    assert set(star.marts()) > shop | always | {"dim_users", "fact_sessions", "fact_user_actions"}
    assert "dim_plans" not in star.marts()


def test_what_a_source_told_stays_when_it_is_no_longer_configured(star: Star) -> None:
    told = "select * from marts.dim_organizations where organization_id in ('acme', 'globex') order by 1"
    land_both_sources(star.warehouse)
    land(star.warehouse, "saas.accounts", [account("acme", industry="DevTools")])
    star.build("--select", "+fact_user_actions")
    known = star.rows(told)
    assert len(known) == 3

    land(star.warehouse, "github.events", [event(60, org="acme"), event(61, org="globex"), event(62, org="initech")])
    star.build_again("--vars", "sources: [github]", "--select", "+fact_user_actions")

    assert star.rows(told) == known
    assert star.rows("select name, has_account from marts.dim_organizations where organization_id = 'initech'") == [
        ("initech", False)
    ]
