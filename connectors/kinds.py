"""Which kinds of source there are. A new kind is one module with one class, and one line here."""

from connectors.database.kind import DatabaseSource
from connectors.demo.kind import DemoSource
from connectors.files.kind import FilesSource
from connectors.platform.kind import PlatformSource
from connectors.python.kind import PythonSource
from connectors.rest.kind import RestSource
from connectors.singer.kind import SingerSource
from connectors.source import SourceConfig

KINDS: dict[str, type[SourceConfig]] = {
    "database": DatabaseSource,
    "demo": DemoSource,
    "files": FilesSource,
    "platform": PlatformSource,
    "python": PythonSource,
    "rest": RestSource,
    "singer": SingerSource,
}
