"""Building the star from new actions, on an empty warehouse and on a full one, beside hand-written SQL doing the same.

The actions are those of the demo company's people, over two years; the 100,000 that come later are of the two days
after, one in twenty of them late. They are put into raw as landing leaves them, since landing has a benchmark of its
own. What is timed is a whole `dbt build` with its data tests; hand-written SQL makes the same tables and tests nothing.
Each of the two has a server of its own, one after the other: nobody keeps two stars in the memory of one machine. The
warehouse is vacuumed before more comes, as the server has done by the time a day's rows arrive: that is when the index
on loads takes in their pages. Otherwise the server would do it beside the builds that are timed.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from benchmarks.report import Result, finish, parser
from connectors.demo.company import accounts
from orchestration.dbt import build
from warehouse.connect import open_warehouse
from warehouse.database import LOADER, TRANSFORMER, Warehouse
from warehouse.settings import Settings

SIZES = (1_000_000, 3_000_000, 10_000_000)
LATER = 100_000
MOST_AGAINST_HAND = 1.5
MOST_GROWTH = 1.5
SOURCES = ["github"]
_COMPANIES = 10
_HAND = Path(__file__).with_name("hand_written.sql")
_TURNS = 3

_TABLE = """
create schema raw_github;
create table raw_github.events (
    id text, type text, actor text, repo text, payload text, public text, created_at text, org text,
    _row_number bigint, _dlt_load_id text
) with (autovacuum_enabled = off);
create index on raw_github.events using brin (_dlt_load_id)
"""

# Every one in `late` of the rows is of any day before, the others follow each other over the days.
_EVENTS = """
insert into raw_github.events
select
    n, (array['PushEvent', 'PushEvent', 'PushEvent', 'IssuesEvent', 'WatchEvent'])[n %% 5 + 1],
    json_build_object('id', 2 * account + n %% 2, 'login', 'user-' || 2 * account + n %% 2, 'gravatar_id', ''),
    json_build_object('id', account, 'name', name || '/api', 'url', 'https://api.example.com/repos/' || name || '/api'),
    json_build_object('push_id', n, 'size', 1, 'ref', 'refs/heads/main', 'title', 'Fix login'),
    'true', to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    case when n %% 10 < 7 then json_build_object('id', account, 'login', name)::text end,
    n - %(first)s + 1, %(load)s
from (
    select
        n, abs(hashint8(n)) %% %(accounts)s + 1 as account,
        (%(names)s::text[])[abs(hashint8(n)) %% %(accounts)s + 1] as name,
        case when %(late)s > 0 and n %% greatest(%(late)s, 1) = 0
            then timestamp '2023-01-01' + abs(hashint8(n + 7)) %% 730 * interval '1 day'
            else %(since)s::timestamp + (n - %(first)s) * (%(days)s * interval '1 day' / %(count)s)
        end as at
    from generate_series(%(first)s::bigint, %(first)s + %(count)s - 1) as n
) as actions
"""

_PUBLISHED = """
insert into ops.snapshots (published_at, tables, admission_seq, checks, definition_version, fingerprint)
select clock_timestamp(), '{}', coalesce(max(admission_seq), 0), '{}', '', '' from ops.batches
"""


@dataclass(frozen=True)
class Measured:
    """Seconds of one way of building, for an empty warehouse and for rows that came later, and what it came to."""

    first: float
    later: float
    sums: list[object]


# How one way builds the rows of an empty warehouse, and those that came later.
Way = Callable[[Warehouse, Path, str], float]


def measure(sizes: Sequence[int], *, is_beside_hand: bool = True) -> Iterator[Result]:
    """Every size, each way in a server of its own that is removed afterwards; then the later builds together."""
    later: dict[int, float] = {}
    for rows in sizes:
        ours = _measured(_by_dbt, "marts", rows)
        by_hand = _measured(_by_hand, "hand", rows) if is_beside_hand else None
        if by_hand is not None and ours.sums != by_hand.sums:
            raise RuntimeError(f"the star is {ours.sums} by dbt and {by_hand.sums} by hand")
        later[rows] = ours.later
        yield _result(f"{rows:,} actions, empty warehouse", ours.first, by_hand and by_hand.first)
        yield _result(f"{min(LATER, rows):,} more on {rows:,}", ours.later, by_hand and by_hand.later)
    if len(later) > 1:
        slowest, fastest = max(later, key=later.__getitem__), min(later, key=later.__getitem__)
        growth = later[slowest] / later[fastest]
        yield Result(
            f"{LATER:,} more: slowest, on {slowest:,}", round(later[slowest], 1), "s",
            f"fastest, on {fastest:,}, {later[fastest]:,.1f} s", growth, f"<= {MOST_GROWTH}", growth <= MOST_GROWTH,
        )  # fmt: skip


def _result(name: str, ours: float, by_hand: float | None) -> Result:
    if by_hand is None:
        return Result(name, round(ours, 1), "s")
    ratio = ours / by_hand
    return Result(
        name, round(ours, 1), "s", f"by hand, {by_hand:,.1f} s", ratio, f"<= {MOST_AGAINST_HAND}",
        ratio <= MOST_AGAINST_HAND,
    )  # fmt: skip


def _measured(way: Way, schema: str, rows: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="datainsight-benchmark-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        home = folder / "home"
        with open_warehouse(Settings(home=home)) as warehouse:
            _execute(warehouse, LOADER, _TABLE)
            # What a process does once, importing dbt and parsing the project, is no part of any build.
            _build(warehouse, home, "--select", "stg_ops__batches")
            _land(warehouse, 1, rows, since="2023-01-01", days=730, late=0)
            first = way(warehouse, home, "first")
            _execute(warehouse, None, "vacuum analyze")
            later = []
            for turn in range(_TURNS if rows >= LATER else 1):
                count = min(LATER, rows)
                since = f"2025-01-{1 + 2 * turn:02d}"
                _land(warehouse, rows + 1 + turn * count, count, since=since, days=2, late=20)
                later.append(way(warehouse, home, "later"))
            return Measured(first, min(later), _sums(warehouse, schema))


def _sums(warehouse: Warehouse, schema: str) -> list[object]:
    """What tells whether both ways came to the same star."""
    return [
        _execute(warehouse, TRANSFORMER, f"select count(*), sum(extract(epoch from {column})) from {schema}.{mart}")
        for mart, column in (("fact_user_actions", "acted_at"), ("fact_sessions", "started_at"))
    ]


def _land(warehouse: Warehouse, first: int, count: int, *, since: str, days: int, late: int) -> None:
    names = [account.account_id for account in accounts(_COMPANIES, seed=1)]
    load = f"{first:020d}.0"
    given = {"first": first, "count": count, "since": since, "days": days, "late": late, "load": load}
    _execute(warehouse, LOADER, _EVENTS, {**given, "names": names, "accounts": len(names)})
    _execute(warehouse, LOADER, "analyze raw_github.events")
    _execute(
        warehouse,
        None,
        "insert into ops.batches (source, table_name, load_id, row_count, status, admission_seq)"
        " values ('github', 'events', %(load)s, %(count)s, 'admitted', nextval('ops.admission_seq'))",
        given,
    )


def _by_dbt(warehouse: Warehouse, home: Path, _part: str) -> float:
    seconds = _build(warehouse, home)
    # As after any green build: what was published has been tested, and is not tested again.
    _execute(warehouse, None, _PUBLISHED)
    return seconds


def _build(warehouse: Warehouse, home: Path, *selection: str) -> float:
    def run() -> None:
        outcome = build(warehouse, home, selection=selection, variables={"sources": SOURCES})
        if outcome.failed():
            raise RuntimeError(outcome.failed()[0].message)

    return _seconds(run)


def _by_hand(warehouse: Warehouse, _home: Path, part: str) -> float:
    script = _HAND.read_text(encoding="utf-8").partition(f"-- name: {part}\n")[2].partition("-- name: ")[0]
    return _seconds(lambda: _execute(warehouse, TRANSFORMER, script))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _execute(warehouse: Warehouse, role: str | None, statement: str, given: dict[str, object] | None = None) -> object:
    with closing(psycopg2.connect(warehouse.url(role))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement, given)
            return cursor.fetchall() if cursor.description else None


def main() -> int:
    """Measure, print, and fail when a budget is missed."""
    options = parser(__doc__)
    options.add_argument("--growth", action="store_true", help="without hand-written SQL: what more history costs")
    given = options.parse_args()
    sizes = [given.rows] if given.rows else SIZES
    return finish(lambda: list(measure(sizes, is_beside_hand=not given.growth)), as_json=given.json)


if __name__ == "__main__":
    raise SystemExit(main())
