"""What the ledger is told of a table that was landed, or of a part of it that was refused."""

import hashlib
from collections.abc import Iterator
from typing import Any

from connectors.extraction.spool import Portion
from connectors.landing.drift import drift, drift_checks, raw_type
from connectors.landing.extracted import ExtractedTable, refusal_version
from warehouse.ledger import LandedFile, Landing

_NOTES_TOLD = 3


def landings(source: str, table: ExtractedTable, load_id: str | None) -> Iterator[Landing]:
    """One entry for what landed of `table`, if anything did, and one for each portion refused.

    Args:
        load_id: The load that holds its rows; None when nothing of the source landed.
    """
    if table.sound:
        yield _landed(source, table, load_id)
    for portion in table.refused:
        yield _refused(source, portion)


def _landed(source: str, table: ExtractedTable, load_id: str | None) -> Landing:
    files, unreadable, next_row = [], [], 1
    for portion in table.sound:
        first = next_row if portion.rows else None
        next_row += portion.rows
        files += _files(portion, portion.rows + len(portion.unreadable), first)
        unreadable += portion.unreadable
    columns = dict.fromkeys(table.columns, "null") | {
        field.name: raw_type(field.type) for field in table.load.schema if field.name in table.columns
    }
    known = table.history.columns if table.history else None
    # What was refused is to be asked for again, so the next run starts where this one did.
    states = [portion.state for portion in table.sound if portion.state is not None and not table.had_refusals]
    return Landing(
        source=source,
        table_name=table.name,
        load_id=load_id,
        row_count=table.rows + len(unreadable),
        schema_version=hashlib.sha256(str(table.load.schema).encode()).hexdigest()[:12],
        key_columns=table.key,
        files=files,
        unreadable=dict(enumerate(unreadable, start=next_row)),
        checks=[
            *drift_checks(drift(list(columns), table.known, list(known) if known is not None else None)),
            *_notes(table.sound),
        ],
        origin=[_origin(portion) for portion in table.sound],
        size_bytes=sum(portion.size_bytes for portion in table.sound),
        seconds=round(sum(portion.seconds for portion in table.sound) + table.append_seconds, 3),
        columns=columns,
        content_hash=table.content_hash,
        is_complete=table.is_complete,
        is_changelog=any(portion.changelog for portion in table.sound),
        deleted_count=table.deleted_count,
        state=states[-1] if states else None,
    )


def _notes(portions: list[Portion]) -> list[dict[str, Any]]:
    notes = [note for portion in portions for note in portion.notes]
    if not notes:
        return []
    more = f"; and {len(notes) - _NOTES_TOLD} more" if len(notes) > _NOTES_TOLD else ""
    return [
        {
            "name": "read_as_usual",
            "description": "A delivery is written as most are, or as its settings say.",
            "severity": "warn",
            "owner": "data engineering",
            "status": "warned",
            "failed_rows": 0,
            "detail": "; ".join(notes[:_NOTES_TOLD]) + more,
        }
    ]


def _refused(source: str, portion: Portion) -> Landing:
    return Landing(
        source=source,
        table_name=portion.table,
        load_id=None,
        row_count=portion.refused_rows,
        schema_version=portion.reading_version or refusal_version(portion),
        key_columns=portion.key,
        files=_files(portion, portion.refused_rows, None),
        status="refused",
        checks=[
            {
                "name": "readable_file" if portion.file else "readable",
                "description": "What a source gives can be read as the table it belongs to.",
                "severity": "batch",
                "owner": "data engineering",
                "status": "failed",
                "failed_rows": portion.refused_rows,
                "detail": f"{portion.file.path.name}: {portion.refused}" if portion.file else portion.refused,
            }
        ],
        origin=[_origin(portion)],
        size_bytes=portion.size_bytes,
        seconds=round(portion.seconds, 3),
    )


def _origin(portion: Portion) -> dict[str, Any]:
    where = {"file": str(portion.file.path)} if portion.file else {}
    return {**where, **portion.origin, "rows": portion.rows or portion.refused_rows}


def _files(portion: Portion, row_count: int, first_row: int | None) -> list[LandedFile]:
    file = portion.file
    if file is None:
        return []
    return [
        LandedFile(
            path=str(file.path),
            size_bytes=file.size_bytes,
            modified_at=file.modified_at,
            content_hash=file.content_hash,
            row_count=row_count,
            first_row_number=first_row,
            columns=portion.columns,
        )
    ]
