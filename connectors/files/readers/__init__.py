"""Reads one file into Arrow record batches: `open_reader` picks the reader of the file's format."""

import zipfile
from pathlib import Path

from connectors.files.kind import SUFFIXES, FileTable
from connectors.files.readers.content import compression_of
from connectors.files.readers.reading import FileReader, UnreadableFileError


def open_reader(path: Path, table: FileTable, scratch: Path, name: str | None = None) -> FileReader:
    """The reader of `path`.

    Args:
        path: The file; gzip, zstd and zip are told by its content.
        table: How the table's files are written.
        scratch: A folder for temporary files, removed by the caller.
        name: What the file is called where it comes from, when `path` is a copy.

    Raises:
        UnreadableFileError: Nothing tells the file's format, or it is a broken zip archive.
        OSError: The file is gone or may not be read.
    """
    name = name or path.name
    if compression_of(path) == "zip" and not _is_workbook(path, name):
        from connectors.files.readers.archive import ArchiveReader

        def open_member(member: Path, called: str, folder: Path) -> FileReader:
            # A member without a suffix of its own is what the archive's name says: orders.csv.zip.
            return _reader_of(member, table, folder, called if table.format_of(called) else name)

        return ArchiveReader(path, scratch / "archive", open_member)
    return _reader_of(path, table, scratch, name)


def _reader_of(path: Path, table: FileTable, scratch: Path, name: str) -> FileReader:
    match table.format_of(name):
        case "csv":
            from connectors.files.readers.delimited import DelimitedReader

            return DelimitedReader(path, table, name)
        case "json":
            from connectors.files.readers.json_document import JsonDocumentReader, is_lines
            from connectors.files.readers.json_lines import JsonLinesReader

            if table.records is None and is_lines(path, table.encoding):
                return JsonLinesReader(path, table)
            return JsonDocumentReader(path, table)
        case "jsonl":
            from connectors.files.readers.json_lines import JsonLinesReader

            return JsonLinesReader(path, table)
        case "parquet":
            from connectors.files.readers.parquet import ParquetReader

            return ParquetReader(path, table, scratch)
        case "excel":
            from connectors.files.readers.excel import ExcelReader

            return ExcelReader(path, table, scratch)
        case None:
            raise UnreadableFileError(
                "the file's name does not tell its format; say format: csv, json, jsonl, parquet or excel for its table"
            )


def _is_workbook(path: Path, name: str) -> bool:
    """Whether a zip archive is a workbook of Excel or OpenDocument, or should be by its name."""
    if SUFFIXES.get(Path(name).suffix.lower()) == "excel":
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            return "[Content_Types].xml" in names or names[:1] == ["mimetype"]
    except zipfile.BadZipFile:
        return False
