"""What every reader gives and keeps to: batches, columns, lines set aside, and one error for a hopeless file."""

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.names import naming_problem

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 65_536
BATCH_BYTES = 16 << 20
MAX_COLUMNS = 1_500  # PostgreSQL ends at 1,600, and landing adds its own.
MAX_UNREADABLE_LINES = 100_000
MAX_KEPT_CHARACTERS = 100_000  # Of one unreadable line, so that a long event can be played again ...
MAX_KEPT_OF_A_FILE = 32 << 20  # ... while a file of nothing but such lines stays within memory:
FEW_CHARACTERS = 1_000  # past that, this is what is kept of a line.


class UnreadableFileError(Exception):
    """A file that cannot be read as its table at all.

    Args:
        reason: Why, in words for the ledger.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class UnreadableLine:
    """A line that was set aside.

    Attributes:
        line: Its number in the file, counted from 1.
        text: What it says, cut off after 100,000 characters.
        reason: Why it is no row, and whether the text was cut.
        member: The file of a zip archive that it is a line of.
    """

    line: int
    text: str
    reason: str
    member: str | None = None


class FileReader(ABC):
    """Reads one file once.

    Attributes:
        columns: The columns, named as in raw, in the file's order; complete when `batches` is exhausted.
        unreadable: The lines set aside; complete when `batches` is exhausted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] = []
        self.unreadable: list[UnreadableLine] = []
        self._kept = 0

    @property
    @abstractmethod
    def reading(self) -> dict[str, Any]:
        """How the file is read, as JSON for the ledger: its format, and what was found out about it."""

    @property
    def missing_columns(self) -> list[str]:
        """Declared columns that the file does not have."""
        return []

    @abstractmethod
    def batches(self) -> Generator["pa.RecordBatch", None, None]:
        """The rows, in bounded batches; a later batch may have more columns than an earlier one.

        Raises:
            UnreadableFileError: The file cannot be read as a table at all.
            OSError: The file is gone or may not be read.
        """

    @abstractmethod
    def header(self) -> list[str]:
        """The columns as far as the beginning of the file tells, without reading all of it."""

    @abstractmethod
    def count_rows(self) -> int:
        """How many data lines a file has that could not be read; 0 when that cannot be known."""

    def set_aside(self, line: int, text: str, reason: str, member: str | None = None) -> None:
        """Keep a line that is no row.

        Raises:
            UnreadableFileError: There are too many of them for the file to be what it should be.
        """
        if len(self.unreadable) >= MAX_UNREADABLE_LINES:
            raise UnreadableFileError(f"more than {MAX_UNREADABLE_LINES:,} lines cannot be read; line {line}: {reason}")
        kept = text[: MAX_KEPT_CHARACTERS if self._kept < MAX_KEPT_OF_A_FILE else FEW_CHARACTERS]
        self._kept += len(kept)
        if len(kept) < len(text):
            reason += f"; its text, {len(text):,} characters, is cut off after {len(kept):,}"
        kept = kept.replace("\0", "\N{REPLACEMENT CHARACTER}")
        self.unreadable.append(UnreadableLine(line, kept, reason, member))

    def check_names(self, headers: list[str], columns: list[str]) -> None:
        """Refuse headers that cannot all be columns."""
        if len(columns) > MAX_COLUMNS:
            raise UnreadableFileError(f"it has {len(columns):,} columns; {MAX_COLUMNS:,} are possible")
        if problem := naming_problem(headers, columns):
            raise UnreadableFileError(problem)


def count_lines(path: Path, header_lines: int = 0) -> int:
    """Lines with something in them, after the header; those before the break when it is packed and broken."""
    from connectors.files.readers.content import open_content

    lines = 0
    try:
        with open_content(path) as content:
            for line in content:
                lines += not line.isspace()
    except UnreadableFileError:
        pass
    return max(lines - header_lines, 0)
