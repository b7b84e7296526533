"""A zip archive: the files in it are read one after the other, as if their rows stood in one file."""

import shutil
from collections.abc import Callable, Generator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from connectors.files.readers.content import members, open_archive
from connectors.files.readers.reading import FileReader, UnreadableFileError

if TYPE_CHECKING:
    import pyarrow as pa

Open = Callable[[Path, str, Path], FileReader]


class ArchiveReader(FileReader):
    """Reads every file of an archive, by name; folders, hidden files and macOS's own are none.

    Args:
        path: The archive.
        scratch: Where to unpack one file at a time.
        open_member: Gives the reader of an unpacked file, by path, name and a folder for temporary files.
    """

    def __init__(self, path: Path, scratch: Path, open_member: Open) -> None:
        super().__init__(path)
        self._scratch = scratch
        self._open_member = open_member
        self._reading: dict[str, Any] = {}
        self._missing: list[str] = []
        self._rows_seen = 0

    @property
    def reading(self) -> dict[str, Any]:
        """See `FileReader`; by file in the archive."""
        return {"members": self._reading}

    @property
    def missing_columns(self) -> list[str]:
        """See `FileReader`."""
        return self._missing

    def batches(self) -> Generator["pa.RecordBatch", None, None]:
        """See `FileReader`."""
        for name, reader in self._readers():
            try:
                for batch in reader.batches():
                    self._rows_seen += batch.num_rows
                    yield batch
            except UnreadableFileError as error:
                raise UnreadableFileError(f"{name}: {error.reason}") from error
            self._take_over(name, reader)

    def header(self) -> list[str]:
        """See `FileReader`; of the first file."""
        for name, reader in self._readers():
            try:
                reader.header()
            except UnreadableFileError as error:
                raise UnreadableFileError(f"{name}: {error.reason}") from error
            self._take_over(name, reader)
            break
        return self.columns

    def count_rows(self) -> int:
        """See `FileReader`; as many as were read before it turned out unreadable."""
        return self._rows_seen

    def _readers(self) -> Generator[tuple[str, FileReader], None, None]:
        self._scratch.mkdir(parents=True, exist_ok=True)
        with open_archive(self.path) as archive:
            found = members(archive)
            if not found:
                raise UnreadableFileError("there is no file in its zip archive")
            for member in found:
                target = self._scratch / "member"
                with archive.open(member) as content, target.open("wb") as file:
                    shutil.copyfileobj(content, file, 1 << 20)
                yield member.filename, self._open_member(target, PurePosixPath(member.filename).name, self._scratch)
                target.unlink()

    def _take_over(self, name: str, reader: FileReader) -> None:
        self._reading[name] = reader.reading
        self._missing = list(dict.fromkeys([*self._missing, *reader.missing_columns]))
        self.columns += [column for column in reader.columns if column not in self.columns]
        for line in reader.unreadable:
            self.set_aside(line.line, line.text, line.reason, name)
