"""Each data test of the project fails when what it guards is broken."""

from tests.dbt_project.landings import land, land_both_sources, reported
from tests.dbt_project.project import Star

BREAKS = {
    "actions_have_their_user": "delete from personal.dim_users where organization_id = 'octo'",
    "actions_have_their_type": "delete from marts.dim_action_types",
    "actions_have_their_organization": "delete from marts.dim_organizations where organization_id = 'octo'",
    "assert_actions_have_their_dashboard": "delete from marts.dim_dashboards",
    "churn_events_have_their_organization": "update marts.fact_churn_events set organization_key = 'gone'",
    "sessions_have_their_organization": "update marts.fact_sessions set organization_key = 'gone'",
    "sessions_have_their_user": "update marts.fact_sessions set user_key = 'gone'",
    # A session, whose user is "gone" by now, reaches into a stretch that begins amid it.
    "assert_touched_sessions_are_whole": "with reaching as (update marts.fact_sessions"
    " set ended_at = started_at + interval '2 seconds' returning started_at)"
    " insert into intermediate.int_sessions_touched"
    " select 'gone', max(started_at) + interval '1 second', max(started_at) + interval '1 hour' from reaching",
    "tickets_have_their_organization": "update marts.fact_support_tickets set organization_key = 'gone'",
    "invoices_have_their_organization": "update marts.fact_invoices set organization_key = 'gone'",
    "invoices_have_their_plan": "update marts.fact_invoices set plan_key = 'gone'",
    "opportunities_have_their_account": "update marts.fact_opportunities set account_key = 'gone'",
    "opportunities_have_their_organization": "update marts.fact_opportunities set organization_key = 'gone'",
    "usage_has_its_organization": "update marts.fact_feature_usage set organization_key = 'gone'",
    "usage_has_its_plan": "update marts.fact_feature_usage set plan_key = 'gone'",
    "usage_has_its_feature": "delete from marts.dim_features",
    "assert_new_batches_are_kept": "delete from marts.fact_support_tickets where ticket_id = 't1'",
    "assert_holiday_country_is_known": "delete from staging.holidays",
    "assert_mrr_movements_bridge_every_month": "update marts.fact_mrr_movements set movement_usd = movement_usd + 0.01",
    "assert_organization_months_add_up": "update marts.fact_organization_months set mrr_usd = mrr_usd + 0.01",
    "assert_organization_months_are_dense": "delete from marts.fact_organization_months"
    " where month_start_date = '2024-03-01' and organization_id = 'globex'",
    "assert_usage_has_its_subscription": "update marts.fact_feature_usage set organization_id = '(unknown)',"
    " subscription_id = 'gone' where usage_id = 'u1'",
    "assert_invoices_have_their_subscription": "update marts.fact_invoices set subscription_id = 'gone'"
    " where invoice_id = 'i1'",
    "assert_organizations_have_accounts": "update marts.dim_organizations set has_account = false",
    "assert_organizations_have_one_current_version": "update marts.dim_organizations set is_current = false"
    " where organization_id = 'acme'",
    "assert_subscriptions_end_after_they_begin": "update marts.fact_subscriptions set end_date = start_date - 1"
    " where subscription_id = 's1'",
    "batches_have_a_known_status": "update marts.fact_batches set status = 'lost'",
    "metric_queries_have_a_known_outcome": "update marts.fact_metric_queries set outcome = 'lost'",
    "metric_queries_are_of_a_known_kind": "update marts.fact_metric_queries set kind = 'wish'",
    "quality_results_have_a_known_outcome": "update marts.fact_quality_results set outcome = 'lost'",
}
WARNINGS = {
    "assert_invoices_have_their_subscription",
    "assert_organizations_have_accounts",
    "assert_subscriptions_end_after_they_begin",
    "assert_usage_has_its_subscription",
}


def test_what_is_broken_is_found(star: Star) -> None:
    land_both_sources(star.warehouse)
    land(star.warehouse, "platform.events", [reported("e1")])
    star.execute(
        "insert into ops.metric_queries (asked_at, metrics, group_by, milliseconds, outcome)"
        " values (now(), '{mrr}', '{}', 1, 'answered')",
        """update ops.batches set checks = checks || '[{"name": "a", "description": "A rule.", "severity": "row",
        "owner": "tests", "status": "passed"}]'""",
    )
    star.build()
    # Before PostgreSQL 18 a key that is declared is checked, too.
    star.execute("set local session_replication_role = replica", *BREAKS.values())

    statuses = star.project.run("test", "--select", "test_type:data", "--exclude", "path:models/marts/retail")

    assert statuses == {name: "warn" if name in WARNINGS else "fail" for name in BREAKS}


def test_constraints_of_the_star_are_the_databases_own(star: Star) -> None:
    star.build()

    keys = dict(
        star.rows(
            "select conrelid::regclass::text, count(*) from pg_constraint"
            " where contype = 'p' and connamespace in ('marts'::regnamespace, 'personal'::regnamespace) group by 1"
        )
    )
    assert keys == {f"{schema}.{name}": 1 for name, schema in star.marts().items()}

    # What a build makes anew takes the keys that point at it along; its end declares them again.
    foreign_keys = star.rows(
        "select conrelid::regclass::text, confrelid::regclass::text from pg_constraint"
        " where contype = 'f' and connamespace = 'marts'::regnamespace order by 1, 2"
    )
    star.build()
    assert len(foreign_keys) >= 6
    assert foreign_keys == star.rows(
        "select conrelid::regclass::text, confrelid::regclass::text from pg_constraint"
        " where contype = 'f' and connamespace = 'marts'::regnamespace order by 1, 2"
    )
    # Twice made anew, keys are called after their table, not after a name that it was made with.
    assert (
        star.rows(
            "select conrelid::regclass::text, conname from pg_constraint where contype in ('p', 'u', 'f')"
            " and connamespace in ('marts'::regnamespace, 'personal'::regnamespace)"
            " and conname not like (select relname from pg_class where oid = conrelid) || '%key'"
        )
        == []
    )
    assert star.rows("select relname from pg_class where relname like 'replaced\\_%' and relkind = 'i'") == []
    assert (
        star.rows("select conname from pg_constraint where conname like '%dbt%' and contype in ('p', 'u', 'f')") == []
    )
