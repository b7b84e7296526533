"""JSON documents, packed files and workbooks."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from connectors.files.readers import json_document
from connectors.files.readers.reading import UnreadableFileError
from tests.connectors.files.reading import read, set_aside

Write = Callable[..., Path]


def refusal(path: Path, **table: Any) -> str:
    with pytest.raises(UnreadableFileError) as caught:
        read(path, **table)
    return caught.value.reason


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ('[{"id":1.50,"o":{"a":[1e3]}},\n {"id":2}]', [{"id": "1.50", "o": '{"a":[1e3]}'}, {"id": "2", "o": None}]),
        ('{\n "id": 1,\n "o": {"b": 2}\n}\n', [{"id": "1", "o": '{"b":2}'}]),
        ('{"id":1}\n{"id":2}\n', [{"id": "1"}, {"id": "2"}]),
        ('[1, "a", null, {}, [2]]', [{"value": text} for text in ("1", "a", None, "{}", "[2]")]),
        ('{"a":"b","a":"c"}', [{"a": "c"}]),
        ("[]", []),
        (" \n[\n]\n", []),
        ("-0.1", [{"value": "-0.1"}]),
    ],
    ids=range(8),
)
def test_a_json_file_is_a_document_or_lines_by_its_content(
    write: Write, content: str, rows: list[dict[str, Any]]
) -> None:
    assert read(write("a.json", content))[0] == rows
    assert read(write("b.json", content.encode("utf-16")))[0] == rows


def test_an_element_that_is_no_json_is_set_aside_with_its_line(write: Write) -> None:
    rows, reader = read(write("a.json", '[\n{"id":1},\n\n{"id":tru},\n{"id":"a,]"}\n]'))
    assert [row["id"] for row in rows] == ["1", "a,]"]
    [(line, text, reason)] = set_aside(reader)
    assert (line, text) == (4, '{"id":tru}')
    assert reason.startswith("it is no JSON: ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[1,,2]", "nothing between two commas in line 1"),
        ("[1,\n2,]", "nothing between two commas in line 2"),
        ("[1][2]", "something follows its end"),
        ('[{"a":1}', "it ends before it is complete, 0 records in"),
        ("[1}", "a '}' too many in line 1"),
        ('{"a":1} x', "it is no JSON document"),
        (" ", "the file is empty"),
    ],
    ids=range(7),
)
def test_a_document_whose_brackets_or_commas_are_wrong_is_refused(write: Write, content: str, reason: str) -> None:
    assert reason in refusal(write("a.json", content))


def test_records_may_be_deep_in_a_document(write: Write) -> None:
    path = write("a.json", '{"data":0,"meta":{"n":2},\n"data":{"items":[\n{"id":1},{"id":nul}\n]}}')
    rows, reader = read(path, records="data.items")
    assert rows == [{"id": "1"}]
    assert [line for line, _, _ in set_aside(reader)] == [3]
    assert "it is no JSON document: line 2: " in refusal(path, records="meta"), "all of a document must be JSON"
    path = write("b.json", '{"data":{"id":1},"meta":[2]}')
    assert read(path, records="data")[0] == [{"id": "1"}]
    assert refusal(path, records="items") == "it has no records under items; its keys are data, meta"
    assert "x is sought in what is no object" in refusal(path, records="meta.x")


def test_a_document_is_read_in_pieces(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [json.dumps({"id": number, "s": 'x"[,{' * (number % 7)}) for number in range(500)]
    path = write("a.json", "[" + ",\n".join(texts) + "]")
    whole = read(path)[0]
    monkeypatch.setattr(json_document, "_CHUNK_BYTES", 7)
    assert read(path)[0] == whole
    assert [row["id"] for row in whole] == [str(number) for number in range(500)]
    monkeypatch.setattr(json_document, "_MAX_RECORD_BYTES", 10)
    assert "longer than" in refusal(path)


def zipped(**files: bytes | str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


ZIP = zipped(**{"b/2.csv": "id\n3\n", "a.csv": "id;v\n1;2\n5\n", "__MACOSX/._a.csv": "x", ".hidden.csv": "x"})


def test_every_file_of_a_zip_archive_is_read_by_name(write: Write, shop: Callable[[str], Any]) -> None:
    path = write("t.zip", ZIP)
    source = shop("{t: {path: data/t.zip}}")
    source.land()
    rows = source.all("select id, v from raw_shop.t order by _row_number")
    assert [tuple(row.values()) for row in rows] == [("1", "2"), ("3", None)]
    assert source.column("select payload from ops.quarantine") == [
        {"file": str(path), "member": "a.csv", "line": 3, "text": "5", "reason": "1 fields where the header has 2"}
    ]
    [[origin]] = source.column("select origin from ops.batches")
    assert {name: found["delimiter"] for name, found in origin["reading"]["members"].items()} == {
        "a.csv": ";", "b/2.csv": ",",
    }  # fmt: skip


def test_packed_files_are_told_by_content_and_must_be_whole(write: Write, tmp_path: Path) -> None:
    text = "id,v\n" + "1,2\n" * 1000
    zstd = pa.compress(text.encode(), codec="zstd", asbytes=True)
    for number, content in enumerate((zstd, zstd + pa.compress(b"1,2\n", codec="zstd", asbytes=True))):
        assert len(read(write(f"{number}.csv", content))[0]) == 1000 + number
    assert read(write("a.csv.zst", zstd))[1].reading["format"] == "csv"
    assert "its zstd data is broken" in refusal(write("b.csv.zst", zstd[:-5]))
    assert "its zip data is broken" in refusal(write("c.csv.zip", ZIP[:-30]))
    flipped = bytearray(zipped(**{"a.csv": text}))
    flipped[60] ^= 0xFF
    assert "its zip data is broken" in refusal(write("d.csv.zip", bytes(flipped)))
    assert "there is no file in its zip archive" in refusal(write("e.zip", zipped()))
    parquet.write_table(pa.table({"id": [1, 2]}), tmp_path / "p.parquet")
    packed = (tmp_path / "p.parquet").read_bytes()
    for name, content in {
        "p.parquet.zst": pa.compress(packed, codec="zstd", asbytes=True),
        "p.parquet.gz": gzip.compress(packed),
        "p.zip": zipped(**{"in/p.parquet": packed}),
    }.items():
        assert read(write(name, content))[0] == [{"id": 1}, {"id": 2}]


def workbook(*sheets: str) -> bytes:
    """An .xlsx file by hand: the XML of the rows of each sheet; style 1 is a date, style 2 a date with a time."""
    numbers = range(1, len(sheets) + 1)
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    listed = "".join(f'<sheet name="Sheet {n}" sheetId="{n}" r:id="r{n}"/>' for n in numbers)
    related = "".join(
        f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/s{n}.xml"/>' for n in numbers
    )
    styles = f'<Relationship Id="st" Type="{office}/styles" Target="styles.xml"/>'
    package = "http://schemas.openxmlformats.org/package/2006"
    return zipped(
        **{
            "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
            "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="w"'
            f' Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{related}{styles}'
            "</Relationships>",
            "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/>'
            '<xf numFmtId="22"/></cellXfs></styleSheet>',
            **{
                f"xl/worksheets/s{n}.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
                for n, rows in zip(numbers, sheets, strict=True)
            },
        }
    )


def row(number: int, *cells: tuple[str, Any]) -> str:
    """A row of cells: `s` text, `n` number, `d` date, `t` moment, `b` boolean."""
    said = ""
    for column, (kind, value) in zip("ABCDEFG", cells, strict=False):
        where = f'r="{column}{number}"'
        if kind == "s":
            said += f'<c {where} t="inlineStr"><is><t>{value}</t></is></c>'
        elif kind == "b":
            said += f'<c {where} t="b"><v>{value}</v></c>'
        else:
            said += f'<c {where} s="{ {"n": 0, "d": 1, "t": 2}[kind] }"><v>{value}</v></c>'
    return f'<row r="{number}">{said}</row>'


MIDNIGHT = datetime.fromisoformat("2024-02-29")  # A cell has no zone; landing takes it for UTC.
HEADER = row(1, ("s", "Order ID"), ("s", "Price"), ("s", "Day"), ("s", "At"), ("s", "Paid"), ("s", "Mixed"))
ORDERS = (
    HEADER
    + row(2, ("n", 1), ("n", 2.5), ("d", 45351), ("t", 45351.5), ("b", 1), ("n", 7))
    + row(3, ("n", 2), ("n", 3), ("d", 45352), ("t", 45352.25), ("b", 0), ("s", "x"))
)


def test_a_sheet_lands_typed_as_its_cells_are(write: Write) -> None:
    path = write("a.xlsx", workbook(ORDERS, row(1, ("s", "id")) + row(2, ("s", "z"))))
    rows, reader = read(path)
    assert rows[0] == {
        "order_id": 1.0, "price": 2.5, "day": MIDNIGHT, "at": MIDNIGHT + timedelta(hours=12),
        "paid": True, "mixed": "7",
    }  # fmt: skip
    assert rows[1]["mixed"] == "x"
    assert reader.reading == {"format": "excel", "sheet": "Sheet 1", "header": True}
    assert read(path, sheet=2)[0] == read(path, sheet="Sheet 2")[0] == [{"id": "z"}]
    assert "its sheets are Sheet 1, Sheet 2" in refusal(path, sheet="Orders")
    assert [row["order_id"] for row in read(path, columns={"order_id": "integer"})[0]] == [1, 2]
    assert read(write("b.xlsx.gz", gzip.compress(path.read_bytes())))[0] == rows
    assert "no readable workbook" in refusal(write("c.xlsx", path.read_bytes()[:-40] + b"x" * 40))
    assert "is empty" in refusal(write("d.xlsx", b""))


def test_moments_of_a_sheet_land_in_utc(write: Write, shop: Callable[[str], Any]) -> None:
    write("a.xlsx", workbook(ORDERS))
    source = shop("{a: {path: data/a.xlsx, key: Order ID}}")
    source.land()
    assert source.column("select at from raw_shop.a order by order_id")[0] == datetime(2024, 2, 29, 12, tzinfo=UTC)
