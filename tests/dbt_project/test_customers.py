"""Accounts, opportunities, invoices and dashboards in the star: as they are now, whatever order they came in."""

from datetime import date
from decimal import Decimal

from tests.dbt_project.landings import (
    LOST,
    WON,
    account,
    dashboard,
    invoice,
    land,
    land_both_sources,
    land_deletions,
    opportunity,
    subscription,
    usage,
)
from tests.dbt_project.project import Star

SELECTED = ("--select", "+fact_invoices", "+fact_opportunities", "+dim_dashboards")


def test_what_is_billed_sold_and_shown_is_in_the_star(star: Star) -> None:
    land_both_sources(star.warehouse)

    star.build(*SELECTED)

    assert star.rows(
        "select invoice_id, organization_id, plan_id, issued_date, paid_date, days_to_pay, status, total_usd"
        " from marts.fact_invoices order by 1"
    ) == [
        ("i1", "acme", "Pro", date(2024, 2, 15), date(2024, 2, 25), 10, "paid", Decimal("119.00")),
        ("i2", "globex", "Pro", date(2024, 2, 15), None, None, "overdue", Decimal("119.00")),
    ]
    assert star.rows(
        "select opportunity_id, name, stage, amount_usd, created_date, closed_date, is_won, is_closed"
        " from marts.fact_opportunities inner join marts.dim_accounts using (account_key) order by 1"
    ) == [
        ("o1", "acme Inc", "proposal", Decimal(1200), date(2024, 2, 10), None, False, False),
        ("o2", "globex Inc", "closed_won", Decimal(1200), date(2024, 2, 10), date(2024, 3, 1), True, True),
    ]
    assert star.rows(
        "select dashboard_id, organization_id, title, created_date, created_by_user_id, widget_count, is_shared"
        " from marts.dim_dashboards order by 1"
    ) == [
        ("d1", "acme", "Weekly revenue", date(2024, 2, 5), "7", 5, True),
        ("d2", "globex", "Weekly revenue", date(2024, 2, 5), "7", 5, True),
    ]
    assert star.rows("select account_id, country, plan_id, has_arrived from marts.dim_accounts order by 1") == [
        ("(unknown)", None, "(unknown)", False),
        ("acme", "US", "Pro", True),
        ("globex", "DE", "Pro", True),
    ]


def test_later_versions_and_late_arrivals_end_where_a_full_refresh_does(star: Star) -> None:
    land(star.warehouse, "saas.accounts", [account("acme", referral_source="partner")])
    land(star.warehouse, "saas.subscriptions", [subscription("s1"), subscription("s2", plan_tier="Basic")])
    land(
        star.warehouse,
        "saas.invoices",
        [
            invoice("kept"),
            invoice("paid later", status="open", paid_date=""),
            invoice("moves along", "s2"),
            invoice("early", "s9", "late"),
            invoice("nobody's", None, None),
        ],
    )
    future = {"created_date": "01-01-2999"}
    land(
        star.warehouse,
        "saas.opportunities",
        [opportunity("o1"), opportunity("o2", "late"), opportunity("o3", None), opportunity("o4", **future)],
    )
    land(star.warehouse, "saas.dashboards", [dashboard("d1", title="Old")])
    star.build(*SELECTED)

    assert star.rows("select invoice_id from marts.fact_invoices where plan_id = '(unknown)' order by 1") == [
        ("early",),
        ("nobody's",),
    ]
    assert star.rows("select account_id, name from marts.dim_accounts where not has_arrived order by 1") == [
        ("(unknown)", "(unknown)"),
        ("late", "late"),
    ]
    untouched = star.rows("select ctid, xmin from marts.fact_invoices where invoice_id = 'kept'")

    land(star.warehouse, "saas.accounts", [account("acme", plan_tier="Enterprise"), account("late")])
    land(star.warehouse, "saas.subscriptions", [subscription("s9", "late"), subscription("s2"), subscription("s1")])
    land(star.warehouse, "saas.invoices", [invoice("paid later")])
    land(star.warehouse, "saas.opportunities", [opportunity("o1", **LOST), opportunity("o2", "late", **WON)])
    land(star.warehouse, "saas.dashboards", [dashboard("d1", title="New")])
    star.build_again(*SELECTED)

    assert star.rows("select invoice_id, plan_id, status from marts.fact_invoices order by 1") == [
        ("early", "Pro", "paid"),
        ("kept", "Pro", "paid"),
        ("moves along", "Pro", "paid"),
        ("nobody's", "(unknown)", "paid"),
        ("paid later", "Pro", "paid"),
    ]
    assert star.rows("select ctid, xmin from marts.fact_invoices where invoice_id = 'kept'") == untouched
    assert star.rows("select title from marts.dim_dashboards") == [("New",)]
    # The account is as it is now; the organization as it was when the opportunity was opened.
    assert star.rows(
        "select opportunity_id, stage, accounts.plan_id, organizations.account_plan_id"
        " from marts.fact_opportunities as opportunities"
        " inner join marts.dim_accounts as accounts using (account_key)"
        " inner join marts.dim_organizations as organizations using (organization_key) order by 1"
    ) == [
        ("o1", "closed_lost", "Enterprise", "Pro"),
        ("o2", "closed_won", "Pro", "Pro"),
        ("o3", "proposal", "(unknown)", None),
        ("o4", "proposal", "Enterprise", "Enterprise"),
    ]

    contents = star.contents()
    star.build_again("--full-refresh", *SELECTED)
    assert star.contents() == contents


def test_a_company_without_these_tables_has_its_accounts(star: Star) -> None:
    land(star.warehouse, "saas.accounts", [account("acme")])

    star.build(*SELECTED)

    for mart in ("fact_invoices", "fact_opportunities", "dim_dashboards"):
        assert star.rows(f"select count(*) from marts.{mart}") == [(0,)]
    assert star.rows("select account_id from marts.dim_accounts order by 1") == [("(unknown)",), ("acme",)]


def test_values_that_no_suite_stopped_are_null(star: Star) -> None:
    land(star.warehouse, "saas.invoices", [invoice("i1", tax_usd="none", paid_date="soon", due_date="31-02-2024")])
    land(star.warehouse, "saas.opportunities", [opportunity("o1", amount_usd="1e40", is_won="?", is_closed="")])
    land(star.warehouse, "saas.dashboards", [dashboard(" d1 ", None, created_at="once", widget_count="many", title="")])

    star.build(*SELECTED)

    assert star.rows("select tax_usd, paid_date, due_date, days_to_pay from marts.fact_invoices") == [(None,) * 4]
    assert star.rows("select amount_usd, is_won, is_closed from marts.fact_opportunities") == [(None, False, False)]
    assert star.rows(
        "select dashboard_id, organization_id, title, created_date, widget_count from marts.dim_dashboards"
    ) == [("d1", "(unknown)", "d1", None, None)]


def test_a_probability_keeps_its_decimals(star: Star) -> None:
    said = {"o1": "0.125", "o2": "0.086957", "o3": "1e-3", "o4": "1", "o5": "75", "o6": "likely"}
    land(star.warehouse, "saas.opportunities", [opportunity(name, probability=text) for name, text in said.items()])

    star.build(*SELECTED)

    assert star.rows("select opportunity_id, probability from marts.fact_opportunities order by 1") == [
        ("o1", Decimal("0.125")),
        ("o2", Decimal("0.086957")),
        ("o3", Decimal("0.001")),
        ("o4", Decimal(1)),
        # No suite stopped these.
        ("o5", None),
        ("o6", None),
    ]


def test_what_its_source_no_longer_has_counts_no_more_until_it_comes_back(star: Star) -> None:
    land_both_sources(star.warehouse)
    land(star.warehouse, "saas.feature_usage", [usage("under it", "s2")])
    land(star.warehouse, "saas.invoices", [invoice("under it", "s2"), invoice("returns")])
    star.build(*SELECTED, "+fact_organization_months", "+fact_feature_usage")

    land_deletions(star.warehouse, "saas.subscriptions", "s2")
    land_deletions(star.warehouse, "saas.invoices", "i2", "returns", "never seen")
    land_deletions(star.warehouse, "saas.opportunities", "o1")
    land(star.warehouse, "saas.invoices", [invoice("returns", status="void")])
    star.build_again(*SELECTED, "+fact_organization_months", "+fact_feature_usage")

    assert star.rows("select subscription_id from marts.fact_subscriptions order by 1") == [("s1",), ("s3",)]
    assert star.rows("select max(mrr_usd) from marts.fact_organization_months where plan_id = 'Basic'") == [(None,)]
    assert star.rows("select opportunity_id from marts.fact_opportunities") == [("o2",)]
    # What was used and billed under a subscription that is gone stays on its plan.
    assert star.rows("select invoice_id, plan_id, status from marts.fact_invoices order by 1") == [
        ("i1", "Pro", "paid"),
        ("returns", "Pro", "void"),
        ("under it", "Basic", "paid"),
    ]
    assert star.rows("select organization_id, plan_id from marts.fact_feature_usage where usage_id = 'under it'") == [
        ("acme", "Basic")
    ]

    contents = star.contents()
    star.build_again(*SELECTED, "+fact_organization_months", "+fact_feature_usage")
    assert star.contents() == contents
    star.build_again("--full-refresh", *SELECTED, "+fact_organization_months", "+fact_feature_usage")
    assert star.contents() == contents
