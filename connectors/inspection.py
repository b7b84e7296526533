"""Looks at a source without landing anything: can it be reached, and what is in it."""

from connectors.extraction.request import DiscoveredTable, TableCheck
from connectors.secrets import redacting
from connectors.source import SourceConfig


def check(source: SourceConfig) -> list[TableCheck]:
    """Whether each table of `source` can be read; see `TableCheck`.

    Raises:
        DataInsightError: The source cannot be reached at all.
    """
    with redacting(source):
        source.prepare()
        return source.check()


def discover(source: SourceConfig) -> list[DiscoveredTable]:
    """Every table in reach of `source`; see `DiscoveredTable`.

    Raises:
        DataInsightError: The source cannot be reached at all.
    """
    with redacting(source):
        source.prepare()
        return source.discover()
