"""Extracts a source of files: every file that is new is read into a portion of its own, or is refused whole."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.extraction.request import RefusedError, Request
from connectors.extraction.spool import Portion, Spool
from connectors.files.kind import FilesSource, FileTable, plain_suffix
from connectors.files.listing import (
    Candidate,
    NewFile,
    check_nothing_left,
    check_unchanged,
    explain_nothing,
    list_files,
    new_files,
    remote_candidates,
    vanished,
)
from connectors.files.object_store import ObjectStore
from connectors.files.readers import open_reader
from connectors.files.readers.reading import FileReader, UnreadableFileError

_COPIES_AT_ONCE = 4
_BYTES_AT_ONCE = 64 << 20


@dataclass(frozen=True)
class Incoming:
    """A file that is to be read.

    Attributes:
        file: As the ledger will know it.
        content: Where it can be read: the file itself, or a copy.
        etag: What its store calls this version.
    """

    file: NewFile
    content: Path
    etag: str | None = None


def extract_files(source: FilesSource, request: Request, spool: Spool) -> None:
    """Read what is new.

    Raises:
        DataInsightError: A path leads nowhere, a store cannot be read, or a file changed while it was read.
    """
    store = ObjectStore(source)
    found: dict[str, tuple[list[NewFile], list[Candidate]]] = {}
    with request.warehouse.engine().connect() as connection:
        for name, table in source.tables.items():
            refresh = request.full_refresh
            local = new_files(connection, source.name, name, table, full_refresh=refresh)
            remote = remote_candidates(connection, source.name, name, table, store, full_refresh=refresh)
            if not local and not remote and not list_files(table):
                explain_nothing(connection, source.name, name, table, store)
            found[name] = local, remote
    for name, (local, remote) in found.items():
        size = sum(file.size_bytes for file in local) + sum(candidate.file.size_bytes for candidate in remote)
        request.progress.expect(name, bytes=size)
        table = source.tables[name]
        # Without a key, nothing tells a row that comes again from another; the newest copy is all that counts then.
        complete = request.full_refresh and not table.key
        if complete:
            with request.warehouse.engine().connect() as connection:
                check_nothing_left(connection, source.name, name, [*local, *(candidate.file for candidate in remote)])
        for file in local:
            incoming = Incoming(file, Path(str(file.path)))
            read_file(incoming, name, table, spool, request.scratch / "reading", complete=complete)
        for incoming in _fetched(remote, store, request.scratch / name):
            read_file(incoming, name, table, spool, request.scratch / "reading", complete=complete)
            incoming.content.unlink()


def read_file(
    incoming: Incoming, name: str, table: FileTable, spool: Spool, scratch: Path, *, complete: bool = False
) -> Portion:
    """Read one file into a portion of the table `name`.

    Args:
        complete: Whether the files that are read now are all that the table consists of.

    Raises:
        DataInsightError: The file vanished or was written to meanwhile.
    """
    file = incoming.file
    portion = spool.portion(name, key=table.key or (), file=file, complete=complete)
    portion.reading_version = table.reading_version
    if incoming.etag:
        portion.origin["etag"] = incoming.etag
    with portion:
        reader: FileReader | None = None
        try:
            reader = open_reader(incoming.content, table, scratch, file.path.name)
            for batch in reader.batches():
                portion.write(batch)
            _judge(reader, portion, table)
        except (UnreadableFileError, RefusedError) as error:
            check_unchanged(file)
            portion.refused_rows = portion.refused_rows or (reader.count_rows() if reader else 0)
            portion.columns = reader.columns if reader else []
            raise RefusedError(error.reason) from error
        except FileNotFoundError:
            raise vanished(Path(str(file.path))) from None
        finally:
            if reader is not None:
                portion.origin |= _told(reader)
                portion.notes = _unusual(reader, table, file.path.name)
        check_unchanged(file)
        for line in reader.unreadable:
            member = {"member": line.member} if line.member else {}
            portion.set_aside(
                {"file": str(file.path), **member, "line": line.line, "text": line.text, "reason": line.reason}
            )
        portion.columns = portion.columns or reader.columns
    return portion


def _judge(reader: FileReader, portion: Portion, table: FileTable) -> None:
    """Refuse what was readable line by line and still is not this table."""
    bad, total = len(reader.unreadable), len(reader.unreadable) + portion.rows
    if bad > table.max_bad_share * total:
        first = reader.unreadable[0]
        portion.refused_rows = total
        raise UnreadableFileError(f"{bad:,} of its {total:,} lines cannot be read; line {first.line}: {first.reason}")


def _told(reader: FileReader) -> dict[str, Any]:
    missing = {"missing_columns": reader.missing_columns} if reader.missing_columns else {}
    return {"reading": reader.reading, **missing}


def _unusual(reader: FileReader, table: FileTable, name: str) -> list[str]:
    """A line for what was found out about a CSV file and is not what most are."""
    found = reader.reading
    unusual = [
        f"its {key} is {found[key]!r}"
        for key, most in (("delimiter", ","), ("quote", '"'), ("encoding", "utf-8"))
        if found.get(key, most) != most and getattr(table, key) is None and plain_suffix(name) not in {".tsv", ".tab"}
    ]
    return (
        [f"{name}: {' and '.join(unusual)}, as was found out; say so for its table if that is right"] if unusual else []
    )


def _fetched(candidates: list[Candidate], store: ObjectStore, folder: Path) -> Iterator[Incoming]:
    """Copies of the files that are new, in order; a few small ones are fetched ahead, a large one by itself."""
    if not candidates:
        return
    folder.mkdir(parents=True, exist_ok=True)
    waiting = deque(enumerate(candidates))
    under_way: deque[tuple[Candidate, Path, Future[str]]] = deque()
    at_once = _COPIES_AT_ONCE if store.takes_many_at_once(candidates[0].file.path.url) else 1
    with ThreadPoolExecutor(at_once) as pool:
        try:
            while waiting or under_way:
                while waiting and _has_room(under_way, waiting[0][1], at_once):
                    number, candidate = waiting.popleft()
                    target = folder / str(number)
                    under_way.append((candidate, target, pool.submit(store.fetch, candidate.file, target)))
                candidate, target, copy = under_way.popleft()
                digest = copy.result()
                file = candidate.file
                if digest == candidate.last_hash:
                    target.unlink()
                    continue
                new = NewFile(file.path, file.size_bytes, file.modified_microseconds, digest)
                yield Incoming(new, target, file.etag)
        finally:
            for _, _, copy in under_way:
                copy.cancel()


def _has_room(under_way: deque[tuple[Candidate, Path, Future[str]]], following: Candidate, at_once: int) -> bool:
    size = sum(candidate.file.size_bytes for candidate, _, _ in under_way) + following.file.size_bytes
    return not under_way or (len(under_way) < at_once and size <= _BYTES_AT_ONCE)
