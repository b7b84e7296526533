"""ConnectorX: a SELECT as a stream of Arrow batches, for the engines that it reads."""

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.database.address import Address
from connectors.database.trouble import failure, told

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 65_536


def drained(batches: Iterator["pa.RecordBatch"], address: Address, scratch: Path) -> Iterator["pa.RecordBatch"]:
    """The same batches, put on disk as fast as they come before the first is handed on.

    ConnectorX reads on whether its rows are taken or not: for a reader that does more than this with them, the waiting
    rows would fill the memory.
    """
    import pyarrow as pa

    path = scratch / f"{uuid.uuid4().hex}.arrow"
    try:
        with told(address, f"its rows cannot be put into {scratch}", OSError):
            first = next(batches)
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, first.schema) as writer:
                writer.write_batch(first)
                for batch in batches:
                    writer.write_batch(batch)
        with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as reader:
            yield from reader
    finally:
        path.unlink(missing_ok=True)


def stream(address: Address, url: str, sql: str, said: str, setup: Sequence[str] = ()) -> Iterator["pa.RecordBatch"]:
    """The rows of `sql` in batches of at most 65,536; one without rows when there are none.

    Args:
        url: The URL as ConnectorX wants it, password included.
        said: How a message names what is read.
        setup: Statements that the same connection runs first.

    Raises:
        DataInsightError: The query failed, at its beginning or on the way.
    """
    import connectorx
    import pyarrow as pa

    try:
        reader = connectorx.read_sql(
            url,
            sql,
            return_type="arrow_stream",
            batch_size=_BATCH_ROWS,
            pre_execution_query=list(setup) or None,
        )
        some = False
        for batch in reader:
            some = True
            yield batch
        if not some:
            yield pa.RecordBatch.from_arrays([pa.array([], kind) for kind in reader.schema.types], schema=reader.schema)
    except (RuntimeError, ValueError, pa.ArrowException) as error:
        raise failure(address, f"{said} cannot be read", error) from None
    except BaseException as error:
        # What its Rust code gives up on, a broken connection among it, is no Exception but a PanicException.
        if type(error).__name__ != "PanicException":
            raise
        raise failure(address, f"{said} cannot be read", error) from None
