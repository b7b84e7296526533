"""Excel and its kin: one sheet, numbers and moments typed as the cells are, the first row as header."""

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.files.kind import FileTable
from connectors.files.readers.content import unpacked
from connectors.files.readers.declared import Declared
from connectors.files.readers.reading import BATCH_ROWS, FileReader, UnreadableFileError
from connectors.names import column_name

if TYPE_CHECKING:
    import pyarrow as pa

_MAX_BYTES = 200 << 20


class ExcelReader(FileReader):
    """Reads a sheet of a workbook: .xlsx, .xlsm, .xlsb, .xls or .ods.

    A sheet has no types, only cells. So every number lands as `double precision`, whole ones too, every date as a
    moment, and a column that mixes sorts of cells as text; the next file then rarely brings another type.

    Args:
        path: The file.
        table: What is configured.
        scratch: Where to unpack it.
    """

    def __init__(self, path: Path, table: FileTable, scratch: Path) -> None:
        super().__init__(path)
        self._table = table
        self._scratch = scratch
        self._declared = Declared(table.declared)
        self._sheet = ""

    @property
    def reading(self) -> dict[str, Any]:
        """See `FileReader`."""
        return {"format": "excel", "sheet": self._sheet, "header": self._table.header is not False}

    @property
    def missing_columns(self) -> list[str]:
        """See `FileReader`."""
        return self._declared.missing

    def batches(self) -> Generator["pa.RecordBatch", None, None]:
        """See `FileReader`."""
        rows = self._cells()
        first_line = 2 if self._table.header is not False else 1
        for start in range(0, max(rows.num_rows, 1), BATCH_ROWS):
            batch = rows.slice(start, BATCH_ROWS)
            fitted = self._declared.fit(batch)
            for place, reason in fitted.misfits:
                said = ", ".join(str(column[place]) for column in batch.columns)
                self.set_aside(first_line + start + place, said, reason)
            yield fitted.batch

    def header(self) -> list[str]:
        """See `FileReader`."""
        self._cells()
        return self.columns

    def count_rows(self) -> int:
        """See `FileReader`; a workbook that cannot be read tells nothing."""
        return 0

    def _cells(self) -> Any:
        import fastexcel
        import pyarrow as pa

        if not self.path.stat().st_size:
            raise UnreadableFileError("the file is empty")
        path = unpacked(self.path, self._scratch)
        if path.stat().st_size > _MAX_BYTES:
            raise UnreadableFileError(f"a workbook may have {_MAX_BYTES >> 20} MiB at most")
        try:
            book = fastexcel.read_excel(path.read_bytes())
            names = book.sheet_names
            self._sheet = self._chosen(names)
            # Types are looked for in all rows: one found in the first thousand would drop what does not fit below.
            has_header = self._table.header is not False
            sheet = book.load_sheet(
                self._sheet, header_row=0 if has_header else None, schema_sample_rows=None, dtype_coercion="coerce"
            )
            found = sheet.to_arrow()
        except fastexcel.FastExcelError as error:
            raise UnreadableFileError(f"it is no readable workbook: {str(error).splitlines()[0][:200]}") from error
        headers = list(found.schema.names)
        if not headers:
            raise UnreadableFileError(f"its sheet {self._sheet!r} is empty")
        if not has_header:
            headers = [f"column_{place}" for place in range(1, len(headers) + 1)]
        headers = ["" if header.startswith("__UNNAMED__") else header.strip() for header in headers]
        columns = [column_name(header, place) for place, header in enumerate(headers, start=1)]
        self.check_names([header or column for header, column in zip(headers, columns, strict=True)], columns)
        self.columns = columns
        return pa.RecordBatch.from_arrays([_steady(values) for values in found.columns], names=columns)

    def _chosen(self, names: list[str]) -> str:
        sheet = self._table.sheet
        there = f"; its sheets are {', '.join(names)[:300]}"
        if isinstance(sheet, str):
            if sheet not in names:
                raise UnreadableFileError(f"it has no sheet {sheet!r}{there}")
            return sheet
        if not 1 <= sheet <= len(names):
            raise UnreadableFileError(f"it has no sheet number {sheet}{there}")
        return names[sheet - 1]


def _steady(values: Any) -> Any:
    """Values in a type that the same column of the next file has too."""
    import pyarrow as pa

    if pa.types.is_integer(values.type):
        return values.cast(pa.float64())
    if pa.types.is_date(values.type):
        return values.cast(pa.timestamp("us"))
    return values
