"""What a file is, is told by what is in it; a broken one is refused."""

import io
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.datasources import content as contents
from serving.datasources.content import content_of
from serving.datasources.uploads import table_of
from tests.serving.datasources.old_workbooks import compound_file, old_workbook
from warehouse.errors import DataInsightError

CSV = b"order_id,amount\n1,2.50\n2,3.00\n"


def parquet() -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table({"order_id": [1, 2]}), written)
    return written.getvalue()


def workbook(part: str = "xl/workbook.xml", content: bytes = b"<workbook/>") -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr(part, content)
    return written.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "arrived"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (CSV, ("csv", ".csv")),
        (b"\xef\xbb\xbf" + CSV, ("csv", ".csv")),
        ("a;b\n\u00e4;1\n".encode("latin-1"), ("csv", ".csv")),
        ("a,b\n1,2\n".encode("utf-16"), ("csv", ".csv")),
        (parquet(), ("parquet", ".parquet")),
        (workbook(), ("excel", ".xlsx")),
        (workbook("xl/workbook.bin"), ("excel", ".xlsb")),
        (old_workbook((0, 0), (1, 0)), ("excel", ".xls")),
    ],
)
def test_it_is_told_by_its_content(file: Path, content: bytes, told: tuple[str, str]) -> None:
    file.write_bytes(content)
    found = content_of(file)
    assert (found.format, found.suffix) == told


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\n \n", "the CSV file is broken: it has no line"),
        (b"\x7fELF\x02\x01", "neither CSV nor Parquet nor Excel: it has the byte 0x7f"),
        (b"\x1f\x8b\x08\x00abc", "neither CSV nor Parquet nor Excel"),
        (b"a,b\n1,\x00\n", "it has the byte 0x00"),
        (b'{"a": 1}', "it is JSON or a web page"),
        (b"<!DOCTYPE html>", "it is JSON or a web page"),
        (parquet()[:-6], "the Parquet file is broken"),
        (b"PAR1", "the Parquet file is broken"),
        (workbook()[:-30], "the Excel file is broken"),
        (workbook("x.txt"), "is a zip archive, and no workbook"),
        (workbook(content=bytes(10_000_000)), "it unpacks to 10,000,008 bytes, and"),
        (compound_file("WordDocument", b"a letter"), "the Excel file is broken: "),
        (old_workbook((0, 0))[:2000], "the Excel file is broken: "),
        # The first and the last cell of each sheet: five kilobytes that are four gigabytes once they are opened.
        (old_workbook((0, 0), (65_535, 255), sheets=8), "its cells take more than 1,073,741,824 bytes"),
    ],
)
def test_broken_or_foreign_files_are_refused(file: Path, content: bytes, reason: str) -> None:
    file.write_bytes(content)
    with pytest.raises(DataInsightError, match=reason) as raised:
        content_of(file)
    assert str(file) not in str(raised.value)


@pytest.mark.parametrize("column", [pa.array(range(1000)), pa.nulls(10_000)], ids=["of many bytes", "of many rows"])
def test_parquet_is_held_to_what_it_unpacks_to(file: Path, column: pa.Array, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table({"a": column}), file)
    assert content_of(file).format == "parquet"
    monkeypatch.setattr(contents, "_MOST_PARQUET_BYTES", 5_000)
    with pytest.raises(DataInsightError, match=r"it unpacks to [\d,]+ bytes, and 5,000 are allowed"):
        content_of(file)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("orders.csv", "orders"),
        ("C:\\me\\Orders 2024.XLSX", "orders_2024"),
        ("../../etc/passwd", "passwd"),
        ("2024.csv", "table_2024"),
        ("AUX.csv", "table_aux"),
        ("com1.csv", "table_com1"),
        ("\N{SNOWMAN}.csv", "table"),
        ("x" * 300, "x" * 63),
    ],
)
def test_a_table_is_called_after_its_file(name: str, table: str) -> None:
    assert table_of(name) == table
