"""Each reader: what lands as which text or type, which lines are set aside, which files are refused."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from pyarrow import parquet

from connectors.files.kind import FileTable
from connectors.files.readers import open_reader
from connectors.files.readers.reading import FileReader, UnreadableFileError

Write = Callable[..., Path]


def read(path: Path, **table: Any) -> tuple[list[dict[str, Any]], FileReader]:
    reader = open_reader(path, FileTable(path=(str(path),), **table), path.parent / "scratch")
    return [row for batch in reader.batches() for row in batch.to_pylist()], reader


def set_aside(reader: FileReader) -> list[tuple[int, str, str]]:
    return [(line.line, line.text, line.reason) for line in reader.unreadable]


def refusal(path: Path, **table: Any) -> str:
    with pytest.raises(UnreadableFileError) as caught:
        read(path, **table)
    return caught.value.reason


def test_csv_fields_land_as_the_text_they_are(write: Write) -> None:
    content = '\ufeffOrder ID, amount ,note\r\n007,1.50,\r\n8,NULL,"two\nlines, ""quoted"""\r\n\r\n9,nan,ü\r\n'
    rows, reader = read(write("a.csv", content))
    assert rows == [
        {"order_id": "007", "amount": "1.50", "note": ""},
        {"order_id": "8", "amount": "NULL", "note": 'two\nlines, "quoted"'},
        {"order_id": "9", "amount": "nan", "note": "ü"},
    ]
    assert reader.columns == ["order_id", "amount", "note"]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_gzip_is_told_by_content_not_by_name(write: Write, name: str) -> None:
    rows, _ = read(write(name, gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n")))
    assert rows == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_csv_lines_with_other_field_counts_are_set_aside_by_line_number(write: Write) -> None:
    rows, reader = read(write("a.csv", 'a,b\n1,2\n\n3\n"x\ny",4\n5,6,7\n8,9\n'))
    assert [row["a"] for row in rows] == ["1", "x\ny", "8"]
    assert set_aside(reader) == [
        (4, "3", "1 fields where the header has 2"),
        (7, "5,6,7", "3 fields where the header has 2"),
    ]


@pytest.mark.parametrize(
    ("tail", "line"),
    [("3,4", "3,4"), ('3,"four', '3,"four'), ('3,4,"fi', "3,4,fi"), ('3,"', '3,"')],
)
def test_csv_cut_off_in_a_row_sets_that_line_aside(write: Write, tail: str, line: str) -> None:
    rows, reader = read(write("a.csv", f"a,b,c\n1,2,3\n{tail}"))
    assert rows == [{"a": "1", "b": "2", "c": "3"}]
    assert [(number, text) for number, text, _ in set_aside(reader)] == [(3, line)]


def test_csv_one_column_cut_inside_quotes_counts_every_swallowed_line(write: Write) -> None:
    rows, reader = read(write("a.csv", 'a\n1\n2\n3\n"4\n5\n'))
    assert [row["a"] for row in rows] == ["1", "2", "3"]
    assert [(number, text) for number, text, _ in set_aside(reader)] == [(5, "4"), (6, "5")]


def test_csv_last_line_without_a_line_end_is_a_row(write: Write) -> None:
    assert read(write("a.csv", "a,b\n1,2\n3,4"))[0][-1] == {"a": "3", "b": "4"}


def test_csv_with_a_header_alone_has_columns_and_no_rows(write: Write) -> None:
    rows, reader = read(write("a.csv", "a,b\n"))
    assert (rows, reader.columns) == ([], ["a", "b"])


def test_csv_in_many_blocks_keeps_every_row_in_order(write: Write) -> None:
    lines = [f"{number},{'x' * 60}" for number in range(120_000)]
    path = write("a.csv", "id,filler\n" + "\n".join([*lines[:90_000], "odd", *lines[90_000:]]))
    reader = open_reader(path, FileTable(path=(str(path),)), path.parent)
    batches = list(reader.batches())
    assert [int(value) for batch in batches for value in batch.column("id").to_pylist()] == list(range(120_000))
    assert max(batch.num_rows for batch in batches) <= 65_536
    assert [line.line for line in reader.unreadable] == [90_002]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (gzip.compress(b""), "is empty"),
        (b"a,a\n1,2\n", "is there twice"),
        (b"a,_dlt_id\n1,2\n", "keeps for itself"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 999)[:-9], "gzip data is broken"),
        (gzip.compress(b"a,b\n1,2\n")[:-8] + b"\0" * 8, "gzip data is broken"),
        (b"a,b\n" + b'1,"' + b"x" * (6 << 20) + b'"\n', "longer than 2 MiB"),
        (b",".join(b"c%d" % number for number in range(1501)) + b"\n", "1,501 columns"),
    ],
    ids=range(10),
)
def test_csv_that_is_no_table_is_refused(write: Write, content: bytes, reason: str) -> None:
    assert reason in refusal(write("a.csv", content))


@pytest.mark.parametrize(
    ("rows", "settings", "reason"),
    [
        (b"3\n" * 20, {}, "more than 9 lines cannot be read: 1 fields where the header has 2"),
        ("ü,ü\n".encode() + b"1,\xff\n" * 20, {}, "more than 9 lines cannot be read: it holds bytes that are not"),
        (b"x,y\n" * 20, {"columns": {"a": "integer"}}, "more than 9 lines cannot be read: the column a is declared"),
    ],
    ids=["fields", "bytes", "types"],
)
def test_csv_rows_that_refuse_the_file_say_why_and_nothing_is_printed(
    write: Write, monkeypatch: pytest.MonkeyPatch, rows: bytes, settings: dict[str, Any], reason: str
) -> None:
    """What is raised while Arrow reports a row would be printed as a traceback and be lost."""
    printed: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", printed.append)
    monkeypatch.setattr("connectors.files.readers.delimited.MAX_UNREADABLE_LINES", 9)
    assert refusal(write("a.csv", b"a,b\n" + rows), **settings).startswith(reason)
    assert printed == []


def test_the_file_name_tells_format_and_tabs(write: Write) -> None:
    assert read(write("a.tsv", "a\tb\n1\t2\n"))[0] == [{"a": "1", "b": "2"}]
    assert "does not tell its format" in refusal(write("a.dat", "a\n1\n"))
    assert read(write("a.dat", "a|b\n1|2\n"), format="csv", delimiter="|")[0] == [{"a": "1", "b": "2"}]


def test_json_values_land_as_their_literal_text(write: Write) -> None:
    line = (
        '{"id":12345678901234567890123,"price":1.50,"e":1E3,"z":-0,"t":true,"n":null,"s":"","u":"é\\n",'
        '"o":{"a":[1.10,"x"],"b":null},"l":[]}'
    )
    [row], _ = read(write("a.jsonl", f"\ufeff{line}\n\n"))
    assert row == {
        "id": "12345678901234567890123", "price": "1.50", "e": "1E3", "z": "-0", "t": "true", "n": None, "s": "",
        "u": "é\n", "o": '{"a":[1.10,"x"],"b":null}', "l": "[]",
    }  # fmt: skip


def test_json_keys_that_come_and_go_are_null_elsewhere(write: Write) -> None:
    rows, reader = read(write("a.jsonl", '{"id":1}\n{"id":2,"x":"a"}\n{"x":"b","userId":3}'))
    filled = [{key: value for key, value in row.items() if value is not None} for row in rows]
    assert filled == [{"id": "1"}, {"id": "2", "x": "a"}, {"x": "b", "user_id": "3"}]
    assert reader.columns == ["id", "x", "user_id"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id":2', "no JSON"),
        (b"[1]", "no object"),
        (b" {} ", "without a field"),
        (b'{"id":NaN}', "no JSON"),
        (b'{"id":"\xff"}', "no JSON"),
        (b'{"id":"\\ud800"}', "no JSON"),
        (b'{"id":' + b"[" * 600 + b"]" * 600 + b"}", "nested too deeply"),
        (b'{"id":' + b"[" * 5000 + b"1.5" + b"]" * 5000 + b"}", ""),
    ],
    ids=range(8),
)
def test_json_lines_that_are_no_rows_are_set_aside(write: Write, line: bytes, reason: str) -> None:
    rows, reader = read(write("a.jsonl", b'{"id":1}\n' + line + b'\n{"id":3,"s":"\\\\u0000"}\n'))
    assert [row["id"] for row in rows] == ["1", "3"]
    [(number, text, why)] = set_aside(reader)
    assert (number, reason in why, len(text)) == (2, True, len(line.decode(errors="replace")))


def test_a_long_line_is_kept_whole_and_a_longer_one_is_said_to_be_cut(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("a.jsonl", f'{{"id":1}}\n[{"1" * 50_000}]\n[{"2" * 150_000}]\n[{"3" * 2_000}]\n')
    _, reader = read(path)
    assert [len(text) for _, text, _ in set_aside(reader)] == [50_002, 100_000, 2_002]
    assert [reason for _, _, reason in set_aside(reader)][1].endswith(
        "; its text, 150,002 characters, is cut off after 100,000"
    )
    monkeypatch.setattr("connectors.files.readers.reading.MAX_KEPT_OF_A_FILE", 150_000)
    _, reader = read(path)
    assert [len(text) for _, text, _ in set_aside(reader)] == [50_002, 100_000, 1_000]


def test_json_keys_that_clash_refuse_the_file(write: Write) -> None:
    assert "would both be named" in refusal(write("a.jsonl", '{"userId":1}\n{"user_id":2}\n'))
    assert "is empty" in refusal(write("a.jsonl", "\n \n"))


def write_parquet(path: Path, table: pa.Table) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path)
    return path


def test_parquet_lands_typed_in_few_types(tmp_path: Path) -> None:
    moment = datetime(2024, 3, 4, 5, 6, 7, 123456, tzinfo=UTC)
    table = pa.table(
        {
            "Small": pa.array([1, None], pa.uint32()),
            "big": pa.array([2**64 - 1, 1], pa.uint64()),
            "float": pa.array([1.5, None], pa.float32()),
            "word": pa.array(["a", "b"], pa.string_view()),
            "coded": pa.array(["x", None]).dictionary_encode(),
            "took": pa.array([timedelta(seconds=1.5), None], pa.duration("ms")),
            "at": pa.array([moment, None], pa.timestamp("ns", "Europe/Berlin")),
            "price": pa.array([Decimal("1.10"), None], pa.decimal128(10, 2)),
            "nested": pa.array([{"a": [1, 2], "at": moment}, None]),
            "nothing": pa.nulls(2),
        }
    )
    path = write_parquet(tmp_path / "a.parquet", table)
    reader = open_reader(path, FileTable(path=(str(path),)), tmp_path)
    [batch] = list(reader.batches())
    assert {field.name: str(field.type) for field in batch.schema} == {
        "small": "int64", "big": "decimal128(20, 0)", "float": "double", "word": "string", "coded": "string",
        "took": "double", "at": "timestamp[us, tz=UTC]", "price": "decimal128(10, 2)", "nested": "string",
        "nothing": "null",
    }  # fmt: skip
    first = batch.to_pylist()[0]
    assert (first["took"], first["at"], first["big"]) == (1.5, moment, Decimal(2**64 - 1))
    assert orjson.loads(first["nested"]) == {"a": [1, 2], "at": moment.isoformat()}


def test_parquet_can_be_gzipped_and_must_be_whole(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", pa.table({"id": list(range(10))}))
    content = path.read_bytes()
    zipped = tmp_path / "b.parquet.gz"
    zipped.write_bytes(gzip.compress(content))
    assert [row["id"] for row in read(zipped)[0]] == list(range(10))
    for broken in (b"", content[: len(content) // 2], gzip.compress(content)[:-20], b"PAR1 and no more"):
        path.write_bytes(broken)
        assert refusal(path)


def test_parquet_text_that_postgresql_cannot_hold_is_refused(tmp_path: Path) -> None:
    bad = pa.table({"id": pa.array([b"\xff"]).view(pa.string())})
    assert "not UTF-8" in refusal(write_parquet(tmp_path / "b.parquet", bad))
