"""Organizations change, and each fact keeps the organization of its day."""

from datetime import UTC, datetime

import pytest

from tests.dbt_project.landings import account, churn_event, event, land, land_both_sources, ticket
from tests.dbt_project.project import Star

TODAY = datetime.now(UTC).date()

SELECTED = ("--select", "+fact_support_tickets", "+fact_user_actions", "+fact_churn_events")

VERSION_OF = """
    select facts.{key}, organizations.account_plan_id
    from marts.{mart} as facts
    inner join marts.dim_organizations as organizations using (organization_key)
    where facts.organization_id = 'acme'
    order by 1
"""


def test_facts_have_the_version_of_their_day_however_late_it_is_known(star: Star) -> None:
    land_both_sources(star.warehouse)
    land(star.warehouse, "saas.support_tickets", [ticket("today", submitted_at=f"{TODAY} 00:00:00")])
    land(star.warehouse, "github.events", [event(50, org="acme", created_at=f"{TODAY}T00:00:00Z")])
    star.build(*SELECTED)
    assert star.rows(VERSION_OF.format(key="ticket_id", mart="fact_support_tickets")) == [
        ("t1", "Pro"),
        ("today", "Pro"),
    ]

    land(star.warehouse, "saas.accounts", [account("acme", plan_tier="Enterprise", seats="50", country="FR")])
    land(star.warehouse, "saas.accounts", [account("acme", plan_tier="Enterprise", seats="50", country="FR")])
    land(star.warehouse, "saas.support_tickets", [ticket("t9"), ticket("too", submitted_at=f"{TODAY} 00:00:00")])
    land(star.warehouse, "saas.churn_events", [churn_event("c9", "acme", churn_date=str(TODAY))])
    star.build_again(*SELECTED)

    assert star.rows(
        "select version_number, account_plan_id, seats, country, is_current, valid_to is null,"
        " valid_from = '1900-01-01 00:00:00+00' from marts.dim_organizations where organization_id = 'acme' order by 1"
    ) == [(1, "Pro", 5, "FR", False, False, True), (2, "Enterprise", 50, "FR", True, True, False)]
    assert star.rows(VERSION_OF.format(key="ticket_id", mart="fact_support_tickets")) == [
        ("t1", "Pro"),
        ("t9", "Pro"),
        ("today", "Enterprise"),
        ("too", "Enterprise"),
    ]
    assert star.rows(VERSION_OF.format(key="user_action_id", mart="fact_user_actions")) == [
        ("1", "Pro"),
        ("50", "Enterprise"),
    ]
    assert star.rows(VERSION_OF.format(key="churn_event_id", mart="fact_churn_events")) == [("c9", "Enterprise")]
    # The sum over the versions is the organization, and no fact meets two of them.
    assert star.rows(
        "select count(*), count(distinct ticket_id) from marts.fact_support_tickets"
        " inner join marts.dim_organizations using (organization_key)"
    ) == [(5, 5)]

    contents = star.contents()
    star.build_again(*SELECTED)
    assert star.contents() == contents
    star.build_again("--full-refresh", *SELECTED)
    assert star.contents() == contents


def test_what_landed_before_a_version_and_is_built_after_it_is_kept(star: Star) -> None:
    land_both_sources(star.warehouse)
    land(star.warehouse, "saas.support_tickets", [ticket("today", submitted_at=f"{TODAY} 00:00:00")])
    land(star.warehouse, "github.events", [event(50, org="acme", created_at=f"{TODAY}T00:00:00Z")])
    star.build(*SELECTED)

    # These move rows that are here already to a version whose admission is newer than what waits to be taken.
    land(star.warehouse, "saas.support_tickets", [ticket("waits", submitted_at=f"{TODAY} 01:00:00")])
    land(star.warehouse, "github.events", [event(51, org="acme", created_at=f"{TODAY}T01:00:00Z")])
    land(star.warehouse, "saas.accounts", [account("acme", plan_tier="Enterprise", seats="50", country="FR")])
    star.build_again(
        "--select", "+int_organization_versions", "dim_organizations", "fact_support_tickets", "fact_user_actions"
    )
    star.build_again(*SELECTED)

    expected = [("today", "Enterprise"), ("waits", "Enterprise")]
    told = star.rows(VERSION_OF.format(key="ticket_id", mart="fact_support_tickets"))
    assert [row for row in told if row[0] in ("today", "waits")] == expected
    told = star.rows(VERSION_OF.format(key="user_action_id", mart="fact_user_actions"))
    assert [row for row in told if row[0] in ("50", "51")] == [("50", "Enterprise"), ("51", "Enterprise")]
    contents = star.contents()
    star.build_again("--full-refresh", *SELECTED)
    assert star.contents() == contents


def test_a_fact_is_not_built_past_versions_that_wait(star: Star) -> None:
    land_both_sources(star.warehouse)
    star.build(*SELECTED)
    land(star.warehouse, "saas.accounts", [account("acme", plan_tier="Enterprise", seats="50", country="FR")])
    with pytest.raises(AssertionError, match=r"select \+fact_support_tickets"):
        star.build_again("--select", "fact_support_tickets")
    star.build_again("--select", "+fact_support_tickets")
