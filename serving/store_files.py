"""Where things are in the metric store: the folder of each table, the file of each set of definitions."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from serving.definitions import Definitions
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

_FOLDER = "definitions"


def is_local(store: str) -> bool:
    """Whether the store is a folder of this machine."""
    return "://" not in store


def table_url(store: str, mart: str) -> str:
    """The folder or object store URL of a mart's Delta table."""
    return f"{store.rstrip('/')}/{mart}"


def ensure_folder(store: str) -> None:
    """Make the folder of a local store: it holds everybody's rows, so that only its owner may look into it."""
    if is_local(store):
        Path(store).parent.mkdir(parents=True, exist_ok=True)
        Path(store).mkdir(mode=0o700, exist_ok=True)


def save_definitions(store: str, definitions: Definitions) -> None:
    """Keep the definitions under their version; a version that is there already is not written again."""
    files, path = _files(store), f"{_FOLDER}/{definitions.version}.json"
    if not files.get_file_info(path).is_file:
        text = definitions.text.encode()
        # deltalake takes bytes, and pyarrow hands over anything else whenever a write does not fit its buffer.
        with files.open_output_stream(path, buffer_size=len(text) + 1) as out:
            out.write(text)


def load_definitions(store: str, version: str) -> Definitions:
    """The definitions that a snapshot was published with.

    Raises:
        DataInsightError: The store does not hold them.
    """
    try:
        with _files(store).open_input_file(f"{_FOLDER}/{version}.json") as file:
            return Definitions(json.loads(file.read()))
    except (OSError, ValueError) as error:
        raise DataInsightError(
            f"the metric store {store} lacks the definitions {version}: {' '.join(str(error).split())}",
            hint="is DATAINSIGHT_METRIC_STORE the store of this warehouse?",
        ) from error


def lacking(store: str, marts: Iterable[str], version: str) -> list[str]:
    """What of a snapshot is not in the store: its tables and its definitions, by name; nothing when it is whole."""
    from pyarrow.fs import FileType

    files = _files(store)
    paths = [*(f"{mart}/_delta_log" for mart in marts), f"{_FOLDER}/{version}.json"]
    return [info.path for info in files.get_file_info(paths) if info.type == FileType.NotFound]


def _files(store: str) -> "FileSystem":
    from deltalake.fs import DeltaStorageHandler
    from pyarrow.fs import PyFileSystem

    ensure_folder(store)
    return PyFileSystem(DeltaStorageHandler(store))
