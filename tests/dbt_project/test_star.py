"""What the star says about what was landed, and that a row which does not count is in no mart."""

from datetime import date
from decimal import Decimal

from tests.dbt_project.landings import account, churn_event, event, land, land_both_sources, subscription, ticket, usage
from tests.dbt_project.project import Star

MONTH = date(2024, 3, 1)


def test_everything_landed_is_in_the_star_and_every_test_of_the_project_passes(star: Star) -> None:
    land_both_sources(star.warehouse)

    statuses = star.build(unit_tests=True)

    assert "warn" not in statuses.values()
    assert list(statuses.values()).count("pass") > 15
    assert star.rows("select organization_id, name, has_account from marts.dim_organizations order by 1") == [
        ("(unknown)", "(unknown)", False),
        ("acme", "acme Inc", True),
        ("globex", "globex Inc", True),
        ("octo", "octo", False),
    ]
    assert star.rows("select organization_id, user_id, login from marts.dim_users order by 1, 2") == [
        ("acme", "7", "user7"),
        ("globex", "7", "user7"),
        ("octo", "8", "user8"),
    ]
    assert star.rows(
        "select usage_id, organization_id, plan_id, usage_count from marts.fact_feature_usage order by 1"
    ) == [
        ("u1", "acme", "Pro", 3),
        ("u2", "globex", "Pro", 3),
    ]
    assert star.rows("select sum(refund_usd), min(churn_date) from marts.fact_churn_events") == [
        (Decimal("9.50"), date(2024, 3, 20))
    ]


def test_revenue_ends_with_the_data_and_an_organization_that_left_has_none(star: Star) -> None:
    land_both_sources(star.warehouse)

    star.build()

    assert star.rows(
        "select organization_id, plan_id, active_subscriptions, mrr_usd from marts.fact_organization_months"
        " where month_start_date = (select max(month_start_date) from marts.fact_organization_months) order by 1, 2"
    ) == [
        ("acme", "Basic", 1, Decimal("49.90")),
        ("acme", "Pro", 1, Decimal("100.00")),
        ("globex", "Pro", 0, Decimal("0.00")),
    ]
    assert star.rows("select min(month_start_date), max(month_start_date) from marts.fact_organization_months") == [
        (date(2023, 11, 1), MONTH)
    ]
    assert star.rows(
        "select month_start_date from marts.fact_subscription_months where subscription_id = 's3' order by 1"
    ) == [(date(2023, 11, 1),), (date(2023, 12, 1),), (date(2024, 1, 1),)]


def test_rows_that_do_not_count_are_in_no_mart(star: Star) -> None:
    land(star.warehouse, "saas.support_tickets", [ticket("kept"), ticket("set aside")], quarantined=[2])
    land(star.warehouse, "saas.support_tickets", [ticket("refused")], status="refused")
    land(star.warehouse, "saas.support_tickets", [ticket("not judged yet")], status="landed")
    land(star.warehouse, "github.events", [event(1), event(1), event(2, user=9)], quarantined=[3])

    star.build("--select", "+fact_support_tickets", "+fact_user_actions")

    assert star.rows("select ticket_id from marts.fact_support_tickets") == [("kept",)]
    assert star.rows("select user_action_id, user_id from marts.fact_user_actions") == [("1", "7")]


def test_an_organization_is_itself_before_its_account_has_arrived(star: Star) -> None:
    land(star.warehouse, "saas.support_tickets", [ticket("t1", "late")])
    land(star.warehouse, "saas.churn_events", [churn_event("c1", "later")])

    statuses = star.build()

    assert statuses["assert_organizations_have_accounts"] == "warn"
    assert star.rows("select organization_id from marts.fact_support_tickets") == [("late",)]

    land(star.warehouse, "saas.accounts", [account("late"), account("later")])
    statuses = star.build()

    assert statuses["assert_organizations_have_accounts"] == "pass"
    assert star.rows("select name from marts.dim_organizations where organization_id = 'late'") == [("late Inc",)]


def test_values_that_no_suite_stopped_do_not_break_the_build(star: Star) -> None:
    land(star.warehouse, "saas.accounts", [account(" acme "), account("acme", seats="1e30"), account("x", seats="no")])
    land(star.warehouse, "saas.subscriptions", [subscription("s1", "", mrr_amount="1e40", plan_tier=" ")])
    land(star.warehouse, "saas.subscriptions", [subscription("far", start_date="2999-01-01", end_date="1999-01-01")])
    land(star.warehouse, "saas.feature_usage", [usage("u1", "s1", feature_name="", usage_count="1.5")])
    land(star.warehouse, "github.events", [event(1, actor='{"login": ""}', repo='{"name": "no owner"}', type=None)])

    star.build()

    assert star.rows("select organization_id, seats from marts.dim_organizations where has_account order by 1") == [
        ("acme", None),
        ("x", None),
    ]
    assert star.rows(
        "select organization_id, plan_id, mrr_usd from marts.fact_subscriptions where plan_id <> 'Pro'"
    ) == [("(unknown)", "(unknown)", None)]
    assert star.rows("select organization_id, user_id from marts.fact_user_actions") == [("(unknown)", "(unknown)")]
    assert star.rows("select feature_id, usage_count from marts.fact_feature_usage") == [("(unknown)", 2)]
