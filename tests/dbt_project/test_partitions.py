"""Large facts lie in months; rows find their month, also when a correction says another one."""

import pytest
import sqlalchemy as sa

from tests.dbt_project.landings import event, land, land_both_sources
from tests.dbt_project.project import Star
from warehouse.database import ANALYST

SELECTED = ("--select", "+fact_user_actions", "+fact_sessions", "+fact_feature_usage")
MONTHS = """
    select cast(date_trunc('month', action_date) as date)::text, count(*), count(distinct tableoid)
    from marts.fact_user_actions group by 1 order by 1
"""


def test_rows_move_to_the_month_a_correction_says(star: Star) -> None:
    land_both_sources(star.warehouse)
    land(star.warehouse, "github.events", [event(20 + n, created_at=f"2023-{n:02d}-15T10:00:00Z") for n in (1, 2, 3)])
    star.build(*SELECTED)
    assert star.rows(MONTHS) == [("2023-01-01", 1, 1), ("2023-02-01", 1, 1), ("2023-03-01", 1, 1), ("2024-02-01", 3, 1)]

    # One to another month that is there, one to a month of its own, one landed again as it was, one late.
    land(
        star.warehouse,
        "github.events",
        [
            event(21, created_at="2023-02-28T23:59:59Z"),
            event(22, created_at="2025-12-31T00:00:00Z"),
            event(23, created_at="2023-03-15T10:00:00Z"),
            event(30, created_at="2019-06-01T00:00:00Z"),
        ],
    )
    star.build_again(*SELECTED)

    assert star.rows(MONTHS) == [
        ("2019-06-01", 1, 1),
        ("2023-02-01", 1, 1),
        ("2023-03-01", 1, 1),
        ("2024-02-01", 3, 1),
        ("2025-12-01", 1, 1),
    ]
    contents = star.contents()
    star.build_again("--full-refresh", *SELECTED)
    assert star.contents() == contents
    assert star.rows(MONTHS)[0] == ("2019-06-01", 1, 1)

    # What the first tables had is gone with them.
    orphans = star.rows(
        "select tablename from pg_tables where schemaname = 'partitions' and tablename ~ '_\\d+$'"
        " and not exists (select from pg_class where oid = substring(tablename from '\\d+$')::bigint::oid)"
    )
    assert orphans == []


def test_a_large_fact_is_built_for_queries_by_organization_and_time(star: Star) -> None:
    land_both_sources(star.warehouse)
    star.build("--select", "+fact_user_actions", "+fact_sessions")

    for mart, day in {"fact_user_actions": "action_date", "fact_sessions": "session_date"}.items():
        indexes = "\n".join(d for (d,) in star.rows(f"select indexdef from pg_indexes where tablename = '{mart}'"))
        assert f"btree (organization_id, {day})" in indexes
        assert "using brin" in indexes.lower()
        assert star.rows(f"select partstrat from pg_partitioned_table where partrelid = 'marts.{mart}'::regclass") == [
            ("r",)
        ]
        # Fresh statistics, of the whole and of its months.
        assert star.rows(f"select reltuples from pg_class where oid = 'marts.{mart}'::regclass") == [(3.0,)]
    plan = star.rows("explain select count(*) from marts.fact_user_actions where action_date = '2024-02-03'")
    assert "fact_user_actions_2024_02" in str(plan)

    months = star.rows("select tablename from pg_tables where schemaname = 'partitions' and tablename ~ '^fact'")
    with (
        star.warehouse.engine(ANALYST).connect() as connection,
        pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
    ):
        connection.execute(sa.text(f"select * from partitions.{months[0][0]}"))


def test_statistics_are_renewed_for_the_months_that_changed(star: Star) -> None:
    land_both_sources(star.warehouse)
    january = [event(20 + n, created_at=f"2023-01-{n:02d}T10:00:00Z") for n in range(1, 21)]
    land(star.warehouse, "github.events", january)
    star.build("--select", "+fact_user_actions")
    assert rows_by_statistics(star) == {"all": 23, "2023_01": 20, "2024_02": 3}

    # One more is much where there were three, and little where there were twenty. The server counts what a build wrote
    # as a change since that build's statistics, so that the second one renews them all.
    land(star.warehouse, "github.events", [event(50, created_at="2024-02-05T10:00:00Z")])
    star.build_again("--select", "+fact_user_actions")
    land(star.warehouse, "github.events", [event(51, created_at="2023-01-05T12:00:00Z")])
    star.build_again("--select", "+fact_user_actions")
    known = rows_by_statistics(star)
    if star.rows("select current_setting('server_version_num')::int >= 180000") == [(True,)]:
        assert known == {"all": 24, "2023_01": 20, "2024_02": 4}

    land(star.warehouse, "github.events", [event(n, created_at="2023-01-06T12:00:00Z") for n in (52, 53)])
    star.build_again("--select", "+fact_user_actions")
    assert rows_by_statistics(star) == {"all": 27, "2023_01": 23, "2024_02": 4}


def rows_by_statistics(star: Star) -> dict[str, int]:
    """The rows of the fact and of its months when their statistics were last made."""
    return dict(
        star.rows(
            "select coalesce(substring(relname from '\\d{4}_\\d\\d'), 'all'), reltuples::int from pg_class"
            " where oid = 'marts.fact_user_actions'::regclass"
            " or oid in (select inhrelid from pg_inherits where inhparent = 'marts.fact_user_actions'::regclass)"
        )
    )


def test_a_fact_is_not_made_anew_from_what_arrived_last(star: Star) -> None:
    land_both_sources(star.warehouse)
    star.build(*SELECTED)

    statuses = star.project.run("build", "--full-refresh", "--select", "fact_user_actions")

    assert statuses["fact_user_actions"] == "error"
    assert "select +fact_user_actions" in str(star.project.messages["fact_user_actions"])
    assert star.rows("select count(*) from marts.fact_user_actions") == [(3,)]
