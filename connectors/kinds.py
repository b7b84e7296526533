"""Which kinds of source there are. A new kind is one module with one class, and one line here."""

from connectors.demo.kind import DemoSource
from connectors.files_kind import FilesSource
from connectors.source import SourceConfig

KINDS: dict[str, type[SourceConfig]] = {"demo": DemoSource, "files": FilesSource}
