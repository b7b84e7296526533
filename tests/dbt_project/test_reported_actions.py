"""What applications report joins the star as one more source, each organization's by itself."""

from tests.dbt_project.landings import dashboard, event, land, land_both_sources, reported
from tests.dbt_project.project import Star

ACTIONS = ("--select", "+fact_sessions", "+dim_action_types", "+dim_dashboards")
MEMBERS = ("dim_action_types", "dim_dashboards", "dim_users", "fact_sessions", "fact_user_actions")


def test_a_reported_action_is_one_among_the_others(star: Star) -> None:
    land_both_sources(star.warehouse)
    land(
        star.warehouse,
        "platform.events",
        [
            reported("e1"),
            reported("e2", occurred_at="2024-02-03 04:15:06+00", action="exported", feature="export", object="r9"),
            reported("e3", "newcomer", user_id="u-1", dashboard_id=""),
        ],
    )
    star.build()

    assert star.rows(
        "select organization_id, action_type, login, title, feature, object_name, action_date < '2024-02-04'"
        " from marts.fact_user_actions inner join personal.dim_users using (organization_id, user_key)"
        " left join marts.dim_dashboards using (organization_id, dashboard_key)"
        " where source_name = 'platform' order by 1, 2"
    ) == [
        # The dashboard is one that the organization's own system tells of, too.
        ("acme", "dashboard_viewed", "ada@example.com", "Weekly revenue", None, None, True),
        ("acme", "exported", "ada@example.com", "Weekly revenue", "export", "r9", True),
        ("newcomer", "dashboard_viewed", "u-1", None, None, None, True),
    ]
    assert star.rows(
        "select action_count from marts.fact_sessions inner join personal.dim_users using (user_key)"
        " where login = 'ada@example.com'"
    ) == [(2,)]
    assert star.rows("select is_current from marts.dim_organizations where organization_id = 'newcomer'") == [(True,)]
    # Who it was stands nowhere but in the column of names, which analysts see masked.
    assert star.rows("select count(*) from marts.fact_user_actions as f where f::text like '%ada@%'") == [(0,)]


def test_what_two_organizations_call_the_same_is_each_ones_own(star: Star) -> None:
    land(star.warehouse, "saas.dashboards", [dashboard("d1", "acme")])
    land(star.warehouse, "platform.events", [reported("e1"), reported("e1", "globex"), reported("e1", "octo")])
    star.build(*ACTIONS)

    for mart, key in (
        ("marts.fact_user_actions", "user_action_id"),
        ("personal.dim_users", "user_key"),
        ("marts.dim_action_types", "action_type_key"),
        ("marts.dim_dashboards", "dashboard_key"),
    ):
        found = star.rows(f"select organization_id, {key} from {mart} order by 1")
        assert [organization for organization, _ in found] == ["acme", "globex", "octo"], mart
        assert len({name for _, name in found}) == 3, mart
    assert star.rows("select organization_id, title from marts.dim_dashboards order by 1") == [
        ("acme", "Weekly revenue"),
        ("globex", "d1"),
        ("octo", "d1"),
    ]
    assert star.rows("select count(distinct user_id) from marts.fact_user_actions") == [(3,)]


def test_late_and_repeated_reports_end_where_a_full_refresh_does(star: Star) -> None:
    land_both_sources(star.warehouse)
    waits = land(star.warehouse, "platform.events", [reported("late", dashboard_id="d9")], status="landed")
    land(star.warehouse, "platform.events", [reported("e1"), reported("e2", user_id="eve")])
    star.build(*ACTIONS)
    contents, storage = star.contents(), star.storage(MEMBERS[2:])
    star.build_again(*ACTIONS)
    assert (star.contents(), star.storage(MEMBERS[2:])) == (contents, storage)

    star.execute(
        "update ops.batches set status = 'admitted', admission_seq = nextval('ops.admission_seq')"
        f" where batch_id = {waits}"
    )
    # A full refresh lands everything again.
    land(star.warehouse, "platform.events", [reported("e1"), reported("e3", occurred_at="2024-02-03 04:20:00+00")])
    land(star.warehouse, "github.events", [event(1), event(9)])
    star.build(*ACTIONS)

    assert star.rows("select count(*) from marts.fact_user_actions where source_name = 'platform'") == [(4,)]
    assert star.rows("select dashboard_id from marts.dim_dashboards where organization_id = 'acme' order by 1") == [
        ("d1",),
        ("d9",),
    ]
    contents = star.contents()
    star.build_again("--full-refresh", *ACTIONS)
    assert star.contents() == contents


def test_a_source_that_is_left_out_for_a_while_loses_nothing(star: Star) -> None:
    land(star.warehouse, "github.events", [event(1)])
    land(star.warehouse, "platform.events", [reported("e1")])
    star.build(*ACTIONS)

    land(star.warehouse, "platform.events", [reported("e2", occurred_at="2024-02-03 04:10:00+00")])
    land(star.warehouse, "github.events", [event(2)])
    star.build_again("--vars", "sources: [github, saas, online_retail]", *ACTIONS)
    assert star.rows("select count(*) from marts.fact_user_actions") == [(3,)]

    land(star.warehouse, "github.events", [event(3)])
    star.build(*ACTIONS)

    assert star.rows("select count(*) from marts.fact_user_actions where source_name = 'platform'") == [(2,)]
    assert star.rows(
        "select action_count from marts.fact_sessions inner join personal.dim_users using (user_key)"
        " where login = 'ada@example.com'"
    ) == [(2,)]
    contents = star.contents()
    star.build_again("--full-refresh", *ACTIONS)
    assert star.contents() == contents


def test_the_platform_alone_is_enough_and_so_are_all_without_it(star: Star) -> None:
    actions = {"dim_action_types", "dim_users", "fact_sessions", "fact_user_actions"}

    star.build("--vars", "sources: [online_retail, saas]")
    assert not actions & set(star.marts())
    assert "dim_dashboards" in star.marts()

    land(star.warehouse, "platform.events", [reported("e1")])
    star.build("--vars", "sources: [platform]")
    assert actions <= set(star.marts())
    assert star.rows("select organization_id, title from marts.dim_dashboards") == [("acme", "d1")]
    assert star.rows("select user_actions, sessions from metrics.user_activity_by_day") == [(1, 1)]


def test_values_that_no_suite_stopped_break_nothing(star: Star) -> None:
    nothing = {"user_id": "", "action": " ", "dashboard_id": " "}
    columns = "organization_id event_id user_id action occurred_at"
    land(star.warehouse, "platform.events", [reported("e1", **nothing)], columns=columns)

    star.build(*ACTIONS)

    assert star.rows("select organization_id, user_id, action_type, dashboard_key from marts.fact_user_actions") == [
        ("acme", "(unknown)", "(unknown)", None)
    ]
