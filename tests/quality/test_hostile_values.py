"""Values, names and amounts nobody would choose: they are judged like any others, and nothing breaks on them."""

import pytest

from tests.quality.conftest import Room

NUMBER = {"name": "amount_in_range", "parses": {"column": "amount", "as": "number", "from": 0}}


TEXTS = [":name", "a :b", "100%", "%(x)s", "a'b", 'a"b', "a\\b", "{batch}", "$HOME", "\\u0000", "é漢"]


def test_any_text_is_kept_as_it_was_landed(room: Room) -> None:
    rule = {"name": "known", "among": {"column": "amount", "values": ["other", *TEXTS]}}
    room.expect("t", rule, NUMBER, required_columns=["id", "amount"])
    rows = [{"id": str(n), "amount": text} for n, text in enumerate([*TEXTS, *map(str, range(len(TEXTS)))], start=1)]
    batch = room.land("t", rows)
    room.judge()

    half = len(TEXTS)
    assert room.quarantine(batch) == {
        n: ["amount_in_range"] if n <= half else ["known"] for n in range(1, 2 * half + 1)
    }
    kept = room.rows("select payload ->> 'amount' from ops.quarantine order by row_id limit :half", half=half)
    assert [text for (text,) in kept] == TEXTS


def test_any_column_name(room: Room) -> None:
    names = ["Order Id", "a :b", "100%", 'say "x"', "select", "ÄÖ", "a\\b", "{x}", "$y"]
    rules = [{"name": f"filled_{n}", "present": [name]} for n, name in enumerate(names)]
    room.expect("t", *rules, required_columns=["id", *names])
    batch = room.land(
        "t", [{"id": "1", **dict.fromkeys(names, "")}, {"id": "2", **dict.fromkeys(names, "x")}], key=names
    )
    room.judge()
    assert room.quarantine(batch) == {1: [rule["name"] for rule in rules]}
    assert room.rows("select payload ->> '100%' from ops.quarantine") == [("",)]


def test_any_load_id(room: Room) -> None:
    room.expect("t", NUMBER, required_columns=["id", "amount"])
    rows = [{"id": "1", "amount": "-1"}, {"id": "2", "amount": "1"}]
    batches = [room.land("t", rows, load_id=load_id) for load_id in TEXTS]
    assert room.judge() == batches
    assert [room.quarantine(batch) for batch in batches] == [{1: ["amount_in_range"]}] * len(TEXTS)


def test_columns_that_landed_with_a_type_are_judged_like_text(room: Room) -> None:
    rules = [
        NUMBER,
        {"name": "count", "parses": {"column": "count", "as": "whole_number"}},
        {"name": "day", "parses": {"column": "day", "as": "date"}},
        {"name": "moment", "parses": {"column": "moment", "as": "timestamp", "to": "2100-12-31"}},
        {"name": "flag", "parses": {"column": "flag", "as": "boolean"}},
        {"name": "order", "holds": "ops.parse_timestamp(moment) >= ops.parse_date(day)"},
    ]
    names = ["id", "amount", "count", "day", "moment", "flag"]
    kinds = {"amount": "double precision", "count": "bigint", "day": "date", "moment": "timestamptz", "flag": "boolean"}
    room.expect("t", *rules, required_columns=names)
    good = ["1", "1e15", "3", "2024-01-31", "2024-02-01 10:00+05:30", "true"]
    bad = ["2", "-1e-7", "3", "2024-02-02", "2024-02-01 10:00+05:30", "false"]
    null = ["3", None, None, None, None, None]
    batch = room.land("t", [dict(zip(names, row, strict=True)) for row in (good, bad, null)], types=kinds, key=["id"])
    room.judge()
    assert room.quarantine(batch) == {2: ["amount_in_range", "order"]}


DOCUMENTS = {
    '{"login": "a"}': True,
    r'{"login": "a", "name": "\ud83d\ude00 \u00e9"}': True,
    '{"login": "a", "n": 1e999999}': True,
    r'{"login": "a", "name": "C:\\u0000 \\ud83d"}': True,
    "": True,
    None: True,
    '{"login": ""}': False,
    '{"name": "a"}': False,
    '{"login": null}': False,
    '{"login": "a"': False,
    "[1]": False,
    '"login"': False,
    "null": False,
    r'{"login": "a", "name": "\u0000"}': False,
    r'{"login": "a", "name": "\ud83d"}': False,
    r'{"login": "a", "name": "\\\u0000"}': False,
    r'{"login": "a", "name": "\ud83d\\\ude00"}': False,
    "[" * 100_000: False,
}


def test_documents(room: Room) -> None:
    rule = {"name": "has_login", "json": {"column": "actor", "has": ["login"]}}
    room.expect("t", rule, required_columns=["id", "actor"])
    batch = room.land("t", [{"id": "1", "actor": text} for text in DOCUMENTS])
    room.judge()
    assert set(room.quarantine(batch)) == {n for n, kept in enumerate(DOCUMENTS.values(), start=1) if not kept}


def test_more_broken_rows_than_are_listed_are_all_set_aside(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quality.expectations.LISTED_ROWS", 2)
    room.expect(
        "t",
        NUMBER,
        {"name": "odd", "holds": "id not in (':2', '50%')"},
        {"name": "unique_id", "unique": ["id"]},
        required_columns=["id", "amount"],
    )
    rows = [{"id": name, "amount": amount} for name, amount in
            [("1", "x"), (":2", "x"), ("3", "x"), ("4", "1"), ("50%", "1"), ("6", "1"), ("6", "2")]]  # fmt: skip
    batch = room.land("t", rows)
    room.judge()
    assert room.quarantine(batch) == {
        1: ["amount_in_range"],
        2: ["amount_in_range", "odd"],
        3: ["amount_in_range"],
        5: ["odd"],
        6: ["unique_id"],
        7: ["unique_id"],
    }
