"""What an organization's query costs behind its login, beside the same query of an analyst with the filter by hand.

The fact is one of the star's shape with a row-level policy, partitioned by month like the real one. The two logins take
turns, and the median of each counts: what is compared is a few milliseconds.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks.report import Result, finish, parser
from warehouse.connect import open_warehouse
from warehouse.database import TRANSFORMER, Warehouse
from warehouse.doors.logins import ANALYSTS, TENANTS, add_login
from warehouse.settings import Settings

ROWS = 2_000_000
MOST_OVERHEAD = 1.2
_TURNS = 31
_ORGANIZATION = "o1"

_FACT = """
create table marts.fact_user_actions (
    user_action_id text not null, organization_key text not null, organization_id text not null, user_key text not null,
    user_id text not null, action_type_key text not null, action_type text not null, repository_name text,
    action_date date not null, acted_at timestamptz not null, admission_seq bigint not null
) partition by range (action_date);
select ops.add_month_partitions('marts.fact_user_actions', 'arrived', 'action_date');
insert into marts.fact_user_actions
select
    n, md5(organization_id), organization_id, md5(organization_id || n %% 300), 'u' || n %% 300, md5(action_type),
    action_type, organization_id || '/api', action_date, action_date + n %% 86400 * interval '1 second', 1
from arrived;
create index on marts.fact_user_actions (organization_id, action_date);
analyze marts.fact_user_actions;
select app.protect('marts', 'fact_user_actions')
"""

_ARRIVED = """
create temporary table arrived as
select
    n, 'o' || n %% 20 as organization_id, (array['PushEvent', 'IssuesEvent', 'WatchEvent'])[n %% 3 + 1] as action_type,
    date '2023-01-01' + cast(n / (%(rows)s / 730.0) as integer) as action_date
from generate_series(1, %(rows)s) as n;
"""

# Each with a place for one more condition.
QUERIES = {
    "actions by day": "select action_date, count(*) from marts.fact_user_actions where true{} group by 1",
    "users by month": "select date_trunc('month', acted_at), count(distinct user_key) from marts.fact_user_actions"
    " where true{} group by 1",
    "one quarter by type": "select action_type, count(*) from marts.fact_user_actions"
    " where action_date between date '2024-01-01' and date '2024-03-31'{} group by 1",
    "a word in a text": "select count(*) from marts.fact_user_actions where repository_name like '%ap%'{}",
    "the newest rows": "select * from marts.fact_user_actions where action_date >= date '2024-11-01'{}"
    " order by acted_at desc limit 100",
}


def measure(rows: int) -> Iterator[Result]:
    """Each query, in a server of its own that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="datainsight-benchmark-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        settings = Settings(home=folder / "home")
        with open_warehouse(settings) as warehouse:
            _make(warehouse, rows)
            tenant = add_login(warehouse, settings, TENANTS, _ORGANIZATION).url
            analyst = add_login(warehouse, settings, ANALYSTS, "benchmark").url
            with closing(psycopg2.connect(tenant)) as own, closing(psycopg2.connect(analyst)) as every:
                for name, query in QUERIES.items():
                    yield _result(name, _medians(own, every, query))


def _result(name: str, medians: tuple[float, float]) -> Result:
    behind_door, by_hand = medians
    ratio = behind_door / by_hand
    return Result(
        name, round(behind_door, 2), "ms", f"filter by hand, {by_hand:.2f} ms", ratio, f"<= {MOST_OVERHEAD}",
        ratio <= MOST_OVERHEAD,
    )  # fmt: skip


def _make(warehouse: Warehouse, rows: int) -> None:
    with closing(psycopg2.connect(warehouse.url(TRANSFORMER))) as connection, connection.cursor() as cursor:
        cursor.execute(_ARRIVED, {"rows": rows})
        cursor.execute(_FACT.replace("%%", "%"))
        connection.commit()
    with closing(psycopg2.connect(warehouse.url())) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("vacuum analyze marts.fact_user_actions")


def _medians(own: Any, every: Any, query: str) -> tuple[float, float]:
    """Milliseconds of the organization's query and of the analyst's; both must have the same answer."""
    by_hand = query.format(f" and organization_id = '{_ORGANIZATION}'")
    times: dict[str, list[float]] = {"own": [], "every": []}
    for _ in range(_TURNS):
        answers = []
        for who, connection, asked in (("own", own, query.format("")), ("every", every, by_hand)):
            started = time.perf_counter()
            with connection.cursor() as cursor:
                cursor.execute(asked)
                answers.append(sorted(map(str, cursor.fetchall())))
            times[who].append((time.perf_counter() - started) * 1000)
        if answers[0] != answers[1]:
            raise RuntimeError(f"the answers differ: {query}")
    return statistics.median(times["own"][1:]), statistics.median(times["every"][1:])


def main() -> int:
    """Measure, print, and fail when the budget is missed."""
    given = parser(__doc__).parse_args()
    return finish(lambda: list(measure(given.rows or ROWS)), as_json=given.json)


if __name__ == "__main__":
    raise SystemExit(main())
