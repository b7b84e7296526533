"""Declared columns: types that are kept, and lines that do not keep them."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.connectors.files.reading import read, set_aside

Write = Callable[..., Path]

COLUMNS = {"ID": "integer", "price": "number", "paid": "boolean", "day": "date", "at": "timestamp", "extra": "json"}


def test_csv_lands_typed_and_misfits_are_set_aside_with_line_column_and_reason(write: Write) -> None:
    path = write(
        "a.csv",
        "ID,price,paid,day,at,extra,new\n"
        '1,1.50,yes,2024-02-29,2024-01-01T10:00:00+02:00,"{""a"":1}",n\n'
        '2,"x\ny",no,2024-02-29,,,\n'
        "3,4\n"
        ",,,31-12-2024,2024-01-01 10:00,,\n"
        "4.5,,,,,,\n"
        "5,,,2024-02-30,,,\n",
    )
    rows, reader = read(path, columns=COLUMNS)
    assert rows == [
        {"id": 1, "price": 1.5, "paid": True, "day": date(2024, 2, 29), "at": datetime(2024, 1, 1, 8, tzinfo=UTC),
         "extra": '{"a":1}', "new": "n"},
        {"id": None, "price": None, "paid": None, "day": date(2024, 12, 31),
         "at": datetime(2024, 1, 1, 10, tzinfo=UTC), "extra": None, "new": ""},
    ]  # fmt: skip
    assert [(line, reason) for line, _, reason in set_aside(reader)] == [
        (3, "the column price is declared number, and 'x\\ny' is none"),
        (5, "2 fields where the header has 7"),
        (7, "the column id is declared integer, and '4.5' is none"),
        (8, "the column day is declared date, and '2024-02-30' is none"),
    ]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("integer", ["-5", "+7", "007", "9223372036854775807"], ["9223372036854775808", "1e3", "1_000", "٣"]),
        ("number", ["1", "-1.5e3", ".5", "5."], ["nan", "inf", "1,5", "0x1", "1e400"]),
        ("boolean", ["TRUE", "f", "Y", "0"], ["2", "on"]),
        ("date", ["2024-12-31", "31-12-2024"], ["2023-02-29", "2024-1-1", "20240101"]),
        ("timestamp", ["2024-12-31", "2024-12-31 23:59:59.123456", "2024-12-31T23:59Z"], ["2024-12-31T25:00", "now"]),
        ("json", ["{}", "1", '"a"'], ["{", "a"]),
        ("text", ["", "x"], []),
    ],
)
def test_what_each_type_takes(write: Write, kind: str, good: list[str], bad: list[str]) -> None:
    quoted = ['"' + text.replace('"', '""') + '"' for text in [*good, *bad]]
    rows, reader = read(write("a.csv", "n,v\n" + "".join(f"x,{text}\n" for text in quoted)), columns={"v": kind})
    assert len(rows) == len(good)
    assert [line for line, _, _ in set_aside(reader)] == [2 + len(good) + place for place in range(len(bad))]


def test_a_declared_column_that_is_not_there_lands_as_null_and_is_reported(
    write: Write, shop: Callable[[str], Any]
) -> None:
    write("t.csv", "id\n1\n")
    source = shop("{t: {path: data/t.csv, columns: {id: integer, later: date}}}")
    source.land()
    assert source.all("select id, later from raw_shop.t") == [{"id": 1, "later": None}]
    [[origin]] = source.column("select origin from ops.batches")
    assert origin["missing_columns"] == ["later"]
    types = source.column(
        "select format_type(atttypid, null) from pg_attribute"
        " where attrelid = 'raw_shop.t'::regclass and attname in ('id', 'later') order by attname"
    )
    assert types == ["bigint", "date"]


def test_json_and_parquet_keep_declared_types_too(write: Write, tmp_path: Path) -> None:
    rows, reader = read(
        write("a.jsonl", '{"id":1,"at":"2024-01-01"}\n{"id":"x"}\n{"id":null,"o":{"a":1}}\n'),
        columns={"id": "integer", "at": "date", "o": "json"},
    )
    assert rows[0] == {"id": 1, "at": date(2024, 1, 1), "o": None}
    assert rows[1]["o"] == '{"a":1}'
    assert set_aside(reader) == [(2, '{"id":"x"}', "the column id is declared integer, and 'x' is none")]
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"id": [1.0, 2.5, None], "code": [7, 8, 9]}), path)
    rows, reader = read(path, columns={"id": "integer", "code": "text"})
    assert rows == [{"id": 1, "code": "7"}, {"id": None, "code": "9"}]
    assert [line for line, _, _ in set_aside(reader)] == [2]


def test_a_share_of_bad_lines_refuses_the_file(write: Write, shop: Callable[[str], Any]) -> None:
    write("t.csv", "id,v\n1,2\n3\n4,5\n6,7\n")
    strict = shop("{t: {path: data/t.csv, max_bad_share: 0.2}}")
    strict.land()
    [refusal] = strict.refusals()
    assert "1 of its 4 lines cannot be read; line 3: 1 fields where the header has 2" in refusal
    assert strict.land() == []
    assert len(shop("{t: {path: data/t.csv, max_bad_share: 0.25}}").land()) == 1
    assert strict.column("select count(*) from raw_shop.t") == [3]
