"""What an incremental table remembers between two runs: cursors of every type, lags, and rows that come again."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from connectors.extraction.request import RefusedError
from connectors.extraction.window import Lag, Window, parse_lag
from warehouse.errors import DataInsightError

State = dict[str, Any] | None
HOUR = datetime(2024, 1, 1, tzinfo=UTC)


def batch(*rows: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows))


def run(state: State, *batches: pa.RecordBatch, lag: Lag = None) -> tuple[list[dict[str, Any]], State]:
    """What lands of the batches, and what is handed to the next run."""
    window = Window(state, "at", lag)
    fresh = [window.fresh(found) for found in batches]
    return [row for found in fresh for row in found.to_pylist()], window.state(fresh)


def runs(*given: Iterable[dict[str, Any]], lag: Lag = None) -> list[list[Any]]:
    """The notes that land in each of some runs."""
    landed, state = [], None
    for rows in given:
        fresh, state = run(state, batch(*rows), lag=lag)
        landed.append([row["note"] for row in fresh])
    return landed


def test_a_decimal_is_the_same_whatever_shares_its_batch():
    rows = [{"at": 1, "amount": Decimal("1.25")}, {"at": 2, "amount": Decimal("5.00")}]
    landed, state = run(None, batch(*rows))
    assert len(landed) == 2
    assert run(state, batch({"at": 2, "amount": Decimal(5)}))[0] == []
    [(changed)] = run(state, batch({"at": 2, "amount": Decimal(50)}))[0]
    assert changed["amount"] == 50


def test_a_decimal_of_many_digits_is_not_rounded():
    _, state = run(None, batch({"at": 1, "amount": Decimal("1234567890123456789012345678901234.51")}))
    again = batch({"at": 1, "amount": Decimal("1234567890123456789012345678901234.52")})
    assert len(run(state, again)[0]) == 1


def test_what_changes_back_within_the_lag_lands_again():
    opened, paid = [{"at": HOUR, "note": "open"}], [{"at": HOUR, "note": "paid"}]
    lag = timedelta(days=2)
    assert runs(opened, paid, opened, opened, lag=lag) == [["open"], ["paid"], ["open"], []]
    assert runs(opened, paid, opened) == [["open"], ["paid"], ["open"]]


def test_only_rows_within_the_lag_are_remembered():
    state: State = None
    for hour in range(200):
        rows = [{"at": HOUR + timedelta(hours=h)} for h in range(max(0, hour - 24), hour + 1)]
        landed, state = run(state, batch(*rows), lag=timedelta(days=1))
        assert len(landed) == 1
    assert state is not None
    assert len(state["seen"]) < 25 * 11


def test_a_row_without_a_cursor_is_remembered_while_it_is_there():
    with_cursor, without = {"at": 1, "note": "a"}, {"at": None, "note": "b"}
    states: list[State] = [None]
    for day in range(2, 5):
        landed, state = run(states[-1], batch(with_cursor, without, {"at": day, "note": "c"}))
        assert ("b" in {row["note"] for row in landed}) == (day == 2)
        states.append(state)
    _, gone = run(states[-1], batch({"at": 5, "note": "d"}))
    assert gone is not None
    assert [row["note"] for row in run(gone, batch({"at": 5, "note": "d"}, without))[0]] == ["b"]


def test_rows_that_are_the_same_are_counted():
    click = {"at": 1, "note": "click"}
    assert runs([click], [click, click], [click, click], [click] * 4) == [
        ["click"],
        ["click"],
        [],
        ["click", "click"],
    ]
    # In batches of their own, too; and what is given once less is not new when it is given again.
    _, state = run(None, batch(click), batch(click))
    landed, state = run(state, batch(click), batch())
    assert landed == []
    assert len(run(state, batch(click), batch(click), batch(click))[0]) == 1


@pytest.mark.parametrize(
    ("first", "later", "names"),
    [
        (date(2024, 1, 1), datetime(2024, 1, 2, tzinfo=UTC), ("date", "timestamp with time zone")),
        (datetime(2024, 1, 2, tzinfo=UTC), date(2024, 1, 3), ("timestamp with time zone", "date")),
        (5, "5", ("bigint", "text")),
        (5, Decimal("5.5"), ("bigint", "numeric")),
        ("5", b"5", ("text", "bytea")),
        (1.5, 5, ("double precision", "bigint")),
    ],
)
def test_a_changed_type_is_refused(first: Any, later: Any, names: tuple[str, str]):
    _, state = run(None, batch({"at": first}))
    reason = f"a changed type: the cursor at was {names[0]} up to now and is {names[1]} in what comes now"
    with pytest.raises(RefusedError, match=reason):
        Window(state, "at").fresh(batch({"at": later}))
    with pytest.raises(RefusedError, match=reason):
        Window(state, "at").state([batch({"at": later})])
    with pytest.raises(RefusedError, match="a changed type"):
        run(None, batch({"at": first}), batch({"at": later}))


@pytest.mark.parametrize(("value", "said"), [(True, "boolean"), (datetime(2024, 1, 1, 5, tzinfo=UTC).time(), "time")])
def test_a_type_that_tells_nothing_is_refused_at_once(value: Any, said: str):
    with pytest.raises(RefusedError, match=f"the cursor at is {said}, which does not tell new rows"):
        run(None, batch({"at": value}))


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (b"\x00\x07", b"\x00\x08"),
        (b"\xff", b"\xff\x00"),
        (Decimal("1.5"), Decimal("1.500000000000001")),
        (Decimal(2**70), Decimal(2**70 + 1)),
        (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
        (datetime(2024, 1, 1), datetime(2024, 1, 1, 1)),  # noqa: DTZ001 - as some sources write it.
        (date(2024, 1, 1), date(2024, 1, 2)),
        (0.1, 0.2),
        ("b", "c"),
    ],
)
def test_a_cursor_is_read_back_as_it_was(first: Any, later: Any):
    landed, state = run(None, batch({"at": first}))
    assert len(landed) == 1
    landed, state = run(state, batch({"at": first}, {"at": later}))
    assert [row["at"] for row in landed] == [later]
    assert run(state, batch({"at": later}))[0] == []


def test_decimal_cursors_may_have_any_scale():
    batches = [batch({"at": Decimal("10.5")}), batch({"at": Decimal("10.123456")}), batch({"at": Decimal(11)})]
    landed, state = run(None, *batches, lag=Decimal("0.75"))
    assert len(landed) == 3
    assert Window(state, "at", Decimal("0.75")).start == Decimal("10.25")
    again = batch({"at": Decimal("10.500")}, {"at": Decimal("11.000")}, {"at": Decimal("10.3")})
    assert [row["at"] for row in run(state, again, lag=Decimal("0.75"))[0]] == [Decimal("10.3")]


def test_a_batch_may_have_no_cursor_at_all():
    _, state = run(None, batch({"at": 5, "note": "a"}))
    landed, state = run(state, batch({"at": None, "note": "b"}), batch({"note": "c"}))
    assert [row["note"] for row in landed] == ["b", "c"]
    assert Window(state, "at").start == 5
    assert run(state, batch({"at": None, "note": "b"}), batch({"note": "c"}))[0] == []


@pytest.mark.parametrize(
    ("high", "low"),
    [
        ("2024-01-03", "2024-01-01"),
        ("20240103", "20240101"),
        ("2024-01-03T12:00:00.000Z", "2024-01-02T10:30:00.000Z"),
        ("2024-01-03T12:00:00.0000000+02:00", "2024-01-02T10:30:00.0000000+02:00"),
        ("2024-01-03 12:00:00", "2024-01-02 10:30:00"),
        ("2024-01-03 12:00:00.123456", "2024-01-02 10:30:00.123456"),
        ("2024-01-03T12:15Z", "2024-01-02T10:45Z"),
        ("20240103T120000Z", "20240102T103000Z"),
        ("0001-01-01", "0001-01-01"),
        ("0001-01-01T05:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_a_lag_of_time_keeps_how_a_text_is_written(high: str, low: str):
    lag = timedelta(days=1, minutes=90)
    _, state = run(None, batch({"at": high}), lag=lag)
    assert Window(state, "at", lag).start == low
    assert run(state, batch({"at": high}), lag=lag)[0] == []


def test_a_row_of_the_second_at_which_a_text_window_begins_is_near():
    lag = timedelta(hours=1)
    first = [{"at": "2024-01-01T11:00:00.500Z", "note": "a"}, {"at": "2024-01-01T12:00:00.000Z", "note": "b"}]
    assert runs(first, first, lag=lag) == [["a", "b"], []]


@pytest.mark.parametrize("high", ["2024-W01-1", "soon", "2024-13-01", "1704067200"])
def test_a_text_that_is_no_moment_takes_no_lag_of_time(high: str):
    with pytest.raises(DataInsightError, match="needs a cursor that is a moment such as 2024-01-31 or"):
        run(None, batch({"at": high}), lag=timedelta(days=1))


@pytest.mark.parametrize(
    ("high", "lag", "low"),
    [
        (datetime(1, 1, 1, 5, tzinfo=UTC), timedelta(days=2), datetime(1, 1, 1, tzinfo=UTC)),
        (date(1, 1, 2), timedelta(days=5), date(1, 1, 1)),
        (date(2024, 1, 5), timedelta(hours=36), date(2024, 1, 3)),
        (5 - 2**63, Decimal(100), -(2**63)),
    ],
)
def test_a_lag_ends_where_time_or_numbers_do(high: Any, lag: Lag, low: Any):
    _, state = run(None, batch({"at": high}), lag=lag)
    assert Window(state, "at", lag).start == low


def test_a_lag_may_be_too_long():
    with pytest.raises(ValueError, match="less than a billion days"):
        parse_lag("9999999999999 days")


def test_a_record_is_set_aside_once_while_it_comes_again():
    record = {"table": "t", "record": {"id": 1, "at": "bad"}, "reason": "no number"}
    window = Window(None, "at")
    assert not window.seen_before(record)
    state = window.state([batch({"at": 5})])
    for high in (6, 7):
        window = Window(state, "at")
        assert window.seen_before(record)
        state = window.state([batch({"at": high})])
    window = Window(state, "at")
    assert not window.seen_before({**record, "record": {"id": 2, "at": "bad"}})
    assert not Window(window.state([]), "at").seen_before(record)


def test_states_of_older_versions_are_read():
    old = {"column": "at", "cursor": ["int", "2"], "seen": "XmwRDCjGcRqZmzg4QEwuYQ=="}
    known = batch(
        {"at": 2, "note": "é", "x": Decimal("1.25"), "d": HOUR, "f": 1.5},
        {"at": 2, "note": "z"},
    )
    assert Window(old, "at").start == 2
    assert run(old, known)[0] == []
    assert Window({"cursor": ["datetime", "2024-01-01T00:00:00+00:00"]}, "at").start == HOUR
    assert Window({**old, "column": "other"}, "at").start is None
    for cursor in (["bool", "True"], ["time", "05:00:00"], ["bytes", "b'\\x00'"], None):
        assert Window({**old, "cursor": cursor}, "at").start is None
