"""A build's work follows what is new: late, corrected and repeated rows end in the same star as a full refresh."""

from tests.dbt_project.landings import account, event, land, land_both_sources, subscription, ticket, usage
from tests.dbt_project.project import Star

INCREMENTAL = [
    "dim_features",
    "dim_organizations",
    "dim_users",
    "fact_churn_events",
    "fact_feature_usage",
    "fact_support_tickets",
    "fact_user_actions",
]

SESSIONS = ("--select", "+fact_sessions", "+dim_action_types")


def test_a_second_build_with_nothing_new_writes_nothing(star: Star) -> None:
    land_both_sources(star.warehouse)
    star.build()
    contents, storage = star.contents(), star.storage(INCREMENTAL)

    star.build_again()

    assert star.contents() == contents
    assert star.storage(INCREMENTAL) == storage


def test_new_rows_corrections_and_repetitions_end_where_a_full_refresh_does(star: Star) -> None:
    land_both_sources(star.warehouse)
    land(star.warehouse, "saas.feature_usage", [usage("early", "s9"), usage("u5", "s2")])
    assert star.build()["assert_usage_has_its_subscription"] == "warn"
    assert star.rows("select organization_id from marts.fact_feature_usage where usage_id = 'early'") == [
        ("(unknown)",)
    ]
    untouched = star.rows("select ctid, xmin from marts.fact_feature_usage where usage_id = 'u1'")

    # The late subscription, one that moves to another organization, and one that is landed again as it was.
    land(
        star.warehouse,
        "saas.subscriptions",
        [subscription("s9", "globex"), subscription("s2", "globex"), subscription("s1")],
    )
    land(star.warehouse, "saas.accounts", [account("acme", industry="DevTools"), account("globex")])
    land(star.warehouse, "saas.support_tickets", [ticket("t1", priority="low"), ticket("t3", "globex")])
    land(star.warehouse, "github.events", [event(1), event(3, user=8, repository="octo/dog"), event(4, user=11)])
    assert star.build()["assert_usage_has_its_subscription"] == "pass"

    assert star.rows("select usage_id, organization_id, plan_id from marts.fact_feature_usage order by 1") == [
        ("early", "globex", "Pro"),
        ("u1", "acme", "Pro"),
        ("u2", "globex", "Pro"),
        ("u5", "globex", "Pro"),
    ]
    assert star.rows("select ctid, xmin from marts.fact_feature_usage where usage_id = 'u1'") == untouched
    assert star.rows("select priority from marts.fact_support_tickets where ticket_id = 't1'") == [("low",)]
    assert star.rows("select industry from marts.dim_organizations where organization_id = 'acme' and is_current") == [
        ("DevTools",)
    ]

    contents = star.contents()
    star.build_again("--full-refresh")
    assert star.contents() == contents


def test_a_user_who_is_corrected_to_another_organization_leaves_the_first(star: Star) -> None:
    land_both_sources(star.warehouse)
    land(star.warehouse, "github.events", [event(10, user=5, org="acme"), event(11, user=5, org="acme")])
    star.build(*SESSIONS)

    # What user 7 did in globex was done in acme; of what user 5 did in acme, one half was done in globex.
    land(star.warehouse, "github.events", [event(2, org="acme"), event(11, user=5, org="globex")])
    star.build_again(*SESSIONS)

    assert star.rows("select organization_id, user_id from marts.dim_users order by 1, 2") == [
        ("acme", "5"),
        ("acme", "7"),
        ("globex", "5"),
        ("octo", "8"),
    ]
    contents = star.contents()
    star.build_again("--full-refresh", *SESSIONS)
    assert star.contents() == contents


def test_a_replayed_batch_is_taken_in_although_others_were_admitted_after_it_landed(star: Star) -> None:
    late = land(star.warehouse, "github.events", [event(1)], status="landed")
    land(star.warehouse, "github.events", [event(2)])
    star.build("--select", "+fact_user_actions")
    assert star.rows("select user_action_id from marts.fact_user_actions") == [("2",)]

    star.execute(
        "update ops.batches set status = 'admitted', admission_seq = nextval('ops.admission_seq')"
        f" where batch_id = {late}"
    )
    star.build_again("--select", "+fact_user_actions")

    assert star.rows("select user_action_id from marts.fact_user_actions order by 1") == [("1",), ("2",)]


def test_all_models_of_a_build_see_the_same_batches(star: Star) -> None:
    land(star.warehouse, "github.events", [event(1)])
    star.build("--select", "stg_github__events")

    land(star.warehouse, "github.events", [event(2)])

    assert star.rows("select event_id from staging.stg_github__events") == [("1",)]
