"""Reads one file into Arrow record batches: `open_reader` picks the reader of the file's format."""

from pathlib import Path

from connectors.files_kind import FileTable
from connectors.readers.reading import FileReader, UnreadableFileError


def open_reader(path: Path, table: FileTable, scratch: Path) -> FileReader:
    """The reader of `path`.

    Args:
        path: The file; gzip is told by its content.
        table: How the table's files are written.
        scratch: A folder for temporary files, removed by the caller.

    Raises:
        UnreadableFileError: Nothing tells the file's format.
    """
    match table.format_of(path):
        case "csv":
            from connectors.readers.delimited import DelimitedReader

            return DelimitedReader(path, table.delimiter_of(path))
        case "jsonl":
            from connectors.readers.json_lines import JsonLinesReader

            return JsonLinesReader(path)
        case "parquet":
            from connectors.readers.parquet import ParquetReader

            return ParquetReader(path, scratch)
        case None:
            raise UnreadableFileError(
                "the file's name does not tell its format; say format: csv, jsonl or parquet for its table"
            )
