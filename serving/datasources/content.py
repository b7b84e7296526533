"""What an uploaded file is, told by what is in it and not by its name; a broken one is refused with the reason.

Nothing of it is decoded here: whoever lands it does that, in a process that is nobody else's.
"""

import re
import subprocess
import sys
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path

from serving.datasources import old_workbook
from warehouse.errors import DataInsightError, UnavailableError

_PARQUET = b"PAR1"
_ZIP = b"PK\x03\x04"
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x19\x1b-\x1f\x7f]")
_NOT_TABULAR = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:[{\[]|<(?:[!?]|html))", re.IGNORECASE)
_LOOKED_AT_BYTES = 1024**2
# A workbook of numbers shrinks to a tenth; what shrinks to a hundredth is meant to fill a memory.
_MOST_TIMES_LARGER = 100
_MOST_UNPACKED_BYTES = 1024**3
# A Parquet file lands unpacked: as much as the largest file that DATAINSIGHT_UPLOAD_BYTES can allow.
_MOST_PARQUET_BYTES = 10 * 1024**3
# One at a time: however many are sent, they have the memory of one.
_OPENING = threading.Lock()
_OPENING_SECONDS = 30


@dataclass(frozen=True)
class Content:
    """What a file is.

    Attributes:
        format: As a table of files calls it: `csv`, `parquet`, `excel`.
        suffix: What its name should end with.
    """

    format: str
    suffix: str


def content_of(path: Path) -> Content:
    """Tell what a file is, and that it can be read.

    Raises:
        DataInsightError: It is neither CSV nor Parquet nor Excel, or broken.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(_PARQUET):
        return _parquet(path)
    if start.startswith(_ZIP):
        return _workbook(path)
    if start == _OLD_WORKBOOK:
        return _old_workbook(path)
    return _csv(path)


def _parquet(path: Path) -> Content:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path)
        sizes = [metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups)]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _broken("Parquet", str(error), path) from None
    if not metadata.num_columns:
        raise _broken("Parquet", "it has no column", path)
    # The sizes are those of encoded values: one that is repeated a million times is a few bytes.
    size = max(sum(sizes), metadata.num_rows * metadata.num_columns)
    if size > _MOST_PARQUET_BYTES:
        raise _broken("Parquet", f"it unpacks to {size:,} bytes, and {_MOST_PARQUET_BYTES:,} are allowed", path)
    return Content("parquet", ".parquet")


def _workbook(path: Path) -> Content:
    most = min(_MOST_TIMES_LARGER * path.stat().st_size, _MOST_UNPACKED_BYTES)
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            size = sum(one.file_size for one in archive.infolist())
            damaged = archive.testzip() if size <= most else None
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise _broken("Excel", str(error), path) from None
    if size > most:
        raise _broken("Excel", f"it unpacks to {size:,} bytes, and {most:,} are allowed", path)
    if damaged is not None:
        raise _broken("Excel", f"its part {damaged!r} is damaged", path)
    if "xl/workbook.xml" in names:
        return Content("excel", ".xlsx")
    if "xl/workbook.bin" in names:
        return Content("excel", ".xlsb")
    if "content.xml" in names and "mimetype" in names:
        return Content("excel", ".ods")
    raise DataInsightError("the file is a zip archive, and no workbook", hint="CSV, Parquet and Excel can be uploaded")


def _old_workbook(path: Path) -> Content:
    """Open an .xls: what it begins with, all old files of Office begin with."""
    if not _OPENING.acquire(timeout=_OPENING_SECONDS):
        raise UnavailableError("other workbooks are being looked at", hint="try again in a moment")
    try:
        opened = subprocess.run(
            [sys.executable, "-I", old_workbook.__file__, str(path), str(_MOST_UNPACKED_BYTES)],
            capture_output=True,
            timeout=_OPENING_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _broken("Excel", "it has no end", path) from None
    finally:
        _OPENING.release()
    if opened.returncode == old_workbook.BROKEN:
        raise _broken("Excel", opened.stdout.decode(errors="replace").strip(), path)
    if opened.returncode < 0:
        # Rust ends a process that has no memory left for it.
        raise _broken("Excel", f"its cells take more than {_MOST_UNPACKED_BYTES:,} bytes", path)
    if opened.returncode:
        raise _broken("Excel", "", path)
    return Content("excel", ".xls")


def _csv(path: Path) -> Content:
    is_begun = False
    with path.open("rb") as file:
        is_wide = file.read(2) in _UTF_16
        file.seek(0)
        while part := file.read(_LOOKED_AT_BYTES):
            if not is_begun and _NOT_TABULAR.match(part):
                raise _unknown("it is JSON or a web page")
            if not is_wide and (found := _CONTROL.search(part)):
                raise _unknown(f"it has the byte {found[0][0]:#04x}, which no text has")
            is_begun = is_begun or bool(part.strip())
    if not is_begun:
        raise _broken("CSV", "it has no line with anything in it", path)
    return Content("csv", ".csv")


def _unknown(reason: str) -> DataInsightError:
    return DataInsightError(
        f"the file is neither CSV nor Parquet nor Excel: {reason}", hint="compressed files are to be unpacked first"
    )


def _broken(what: str, reason: str, path: Path) -> DataInsightError:
    line = " ".join(reason.replace(str(path), "the file").split())[:200] or "it cannot be read"
    return DataInsightError(f"the {what} file is broken: {line}", hint="save it again, and upload that")
