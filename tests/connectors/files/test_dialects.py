"""CSV files of every sort: delimiter, quote, encoding and header are found out, reported, and can be said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.files.reading import read, set_aside

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("content", "delimiter", "quote", "rows"),
    [
        ("a;b\n1,5;2\n2,5;3\n", ";", '"', [("1,5", "2"), ("2,5", "3")]),
        ("a\tb\n1\tx, y\n", "\t", '"', [("1", "x, y")]),
        ("a|b\n1|2\n", "|", '"', [("1", "2")]),
        ('a;b\n"1;5";"x\ny"\n', ";", '"', [("1;5", "x\ny")]),
        ("'a','b'\n'O''Brien, x','2'\n", ",", "'", [("O'Brien, x", "2")]),
        ("a,b\n'tis,O'Brien\n'twas,it\n", ",", '"', [("'tis", "O'Brien"), ("'twas", "it")]),
        ("a,b\n1\n2\n3,4\n", ",", '"', [("3", "4")]),
    ],
    ids=range(7),
)
def test_delimiter_and_quote_are_found(
    write: Write, content: str, delimiter: str, quote: str, rows: list[tuple[str, str]]
) -> None:
    found, reader = read(write("a.csv", content))
    assert [tuple(row.values()) for row in found] == rows
    assert (reader.reading["delimiter"], reader.reading["quote"]) == (delimiter, quote)


def test_text_with_commas_in_a_single_column_is_no_reason_for_another_delimiter(write: Write) -> None:
    rows, reader = read(write("a.csv", "note\nfine\nhello, world\nx; y\n"))
    assert [row["note"] for row in rows] == ["fine", "x; y"]
    assert [line for line, _, _ in set_aside(reader)] == [3]


def test_what_is_said_is_not_sought(write: Write) -> None:
    path = write("a.csv", "a;b,c\n1;2,3\n")
    assert read(path, delimiter=",")[0] == [{"a_b": "1;2", "c": "3"}]
    path = write("b.csv", '"a";"b"\n"1";"2"\n')
    assert read(path, quote="none", delimiter=";")[0] == [{"a": '"1"', "b": '"2"'}]


@pytest.mark.parametrize(
    ("content", "header"),
    [
        ("1,Ann,2024-01-31\n2,Bob,2024-02-01\n", False),
        ("country,2019,2020\nDE,5,6\n", True),
        ("a,b\nc,d\n", True),
        ("id,name\n1,x\n", True),
        ("5\n6\n", False),
        ("x,12.50\nname,text\n", True),
    ],
    ids=range(6),
)
def test_a_header_is_there_unless_the_first_row_is_plainly_data(write: Write, content: str, header: bool) -> None:
    rows, reader = read(write("a.csv", content))
    assert reader.reading["header"] is header
    assert len(rows) == content.count("\n") - header
    assert reader.columns[0] == ("column_1" if not header else content.split(",", maxsplit=1)[0])


def test_header_can_be_said_and_a_key_settles_it(write: Write) -> None:
    path = write("a.csv", "1,2024-01-01\n2,2024-01-02\n")
    assert read(path, header=True)[1].columns == ["_1", "_2024_01_01"]
    assert read(path, key="1")[1].columns == ["_1", "_2024_01_01"]
    path = write("b.csv", "a,b\nc,d\n3\n")
    rows, reader = read(path, header=False)
    assert rows == [{"column_1": "a", "column_2": "b"}, {"column_1": "c", "column_2": "d"}]
    assert set_aside(reader) == [(3, "3", "1 fields where the first row has 2")]


TEXT = "id,name\r\n1,café\r\n2,naïve\r\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
        (TEXT.encode("utf-16"), "utf-16-le"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-32"), "utf-32-le"),
        (TEXT.encode("latin-1"), "windows-1252"),
    ],
    ids=range(8),
)
def test_the_encoding_is_found(write: Write, content: bytes, encoding: str) -> None:
    rows, reader = read(write("a.csv", content))
    assert rows == [{"id": "1", "name": "café"}, {"id": "2", "name": "naïve"}]
    assert reader.reading["encoding"] == encoding


def test_an_encoding_can_be_said(write: Write) -> None:
    path = write("a.csv", "id,name\n1,Łódź\n".encode("cp1250"))
    rows, reader = read(path, encoding="cp1250")
    assert (rows, reader.reading["encoding"]) == ([{"id": "1", "name": "Łódź"}], "cp1250")


def test_latin_1_that_shows_late_in_a_long_file_is_found(write: Write) -> None:
    rows, reader = read(write("a.csv", b"id,name\n" + b"1,plain\n" * 600_000 + b"2,caf\xe9\n"))
    assert (len(rows), rows[-1]["name"]) == (600_001, "café")
    assert reader.reading["encoding"] == "windows-1252"


def test_a_broken_byte_in_utf_8_costs_its_line_only(write: Write) -> None:
    path = write("a.csv", 'id,name\n1,ü\n2,"x\ny"\n'.encode() + b"3,caf\xe9\n4\n5,ok\n6,\xff\n")
    rows, reader = read(path)
    assert [row["id"] for row in rows] == ["1", "2", "5"]
    why = "it holds bytes that are not text in its encoding"
    assert set_aside(reader) == [
        (5, "3,caf�", why), (6, "4", "1 fields where the header has 2"), (8, "6,�", why),
    ]  # fmt: skip


def test_a_multibyte_character_across_two_blocks_is_one_character(write: Write) -> None:
    for shift in range(4):
        lines = "a,b\n" + "x" * shift + ",€€€€€€€€\n" + ",€€€€€€€€€€€€€€\n" * 70_000
        rows, reader = read(write(f"{shift}.csv", lines))
        assert len(rows) == 70_001
        assert {row["b"].strip("€") for row in rows} == {""}
        assert not reader.unreadable


def test_nul_characters_reach_the_spool_which_replaces_them(write: Write, shop: Callable[[str], Any]) -> None:
    write("t.csv", b"id,v\n1,a\0b\n")
    source = shop("{t: {path: data/t.csv}}")
    source.land()
    assert source.column("select v from raw_shop.t") == ["a�b"]
    [[origin]] = source.column("select origin from ops.batches")
    assert origin["nul_characters_replaced"] == 1
