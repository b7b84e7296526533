"""The statements of questions, by the definitions that a snapshot was published with."""

import threading
from collections import OrderedDict
from dataclasses import replace

from serving.catalog import Catalog
from serving.compiler import Compiler, Place, Statement, shown_mart
from serving.engine import Engine
from serving.open_snapshot import OpenSnapshot
from serving.query import MetricQuery
from serving.snapshots import Snapshot
from serving.store_files import load_definitions
from warehouse.policy import Policy
from warehouse.settings import Settings

_KEPT_DEFINITIONS = 3


class Statements:
    """Makes the statements of plain questions; the definitions used last are kept.

    Args:
        settings: Where the metric store is, and how many rows an answer may have.
        engine: Where the rows are.
        policy: Whose the rows of each mart are.
    """

    def __init__(self, settings: Settings, engine: Engine, policy: Policy) -> None:
        self._settings = settings
        self._engine = engine
        self._policy = policy
        self._lock = threading.Lock()
        self._compilers: OrderedDict[str, tuple[Catalog, Compiler]] = OrderedDict()

    def catalog(self, snapshot: Snapshot) -> Catalog:
        """The metrics by the definitions of a snapshot."""
        return self._defined(snapshot)[0]

    def compile(self, opened: OpenSnapshot, query: MetricQuery, organization: str | None) -> Statement:
        """The statement that answers a question from what is open, with at most one row more than an answer may have.

        Raises:
            DataInsightError: The question names something that does not exist, or a value of the wrong type.
        """
        compiler = self._defined(opened.snapshot)[1]
        return compiler.compile(query, self._place(opened, organization), most_rows=self._settings.query_rows + 1)

    def shown(self, snapshot: Snapshot, query: MetricQuery, organization: str | None) -> Statement:
        """The same for somebody to read.

        Raises:
            DataInsightError: As for one that runs.
        """
        place = self._place(self._engine.open(snapshot), organization)
        return self._defined(snapshot)[1].shown(query, replace(place, relation=shown_mart))

    def _place(self, opened: OpenSnapshot, organization: str | None) -> Place:
        catalog = self.catalog(opened.snapshot)
        return Place(
            organization=organization,
            relation=opened.relation,
            time_columns=opened.time_columns,
            schema_of=opened.schema_of,
            type_of=lambda dimension: opened.type_of(catalog.table_of(dimension.model), dimension),
        )

    def _defined(self, snapshot: Snapshot) -> tuple[Catalog, Compiler]:
        version = snapshot.definition_version
        with self._lock:
            if version not in self._compilers:
                catalog = Catalog(load_definitions(self._settings.metric_store_url, version))
                self._compilers[version] = (catalog, Compiler(catalog, self._policy))
                if len(self._compilers) > _KEPT_DEFINITIONS:
                    self._compilers.popitem(last=False)
            return self._compilers[version]
