"""The kind `python`: what is configured of a user's module, and how its resources become portions."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, PrivateAttr, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from connectors.extraction.request import DiscoveredTable, RefusedError, Request, TableCheck
from connectors.landing.dlt_runtime import dlt_at
from connectors.names import column_name
from connectors.secret_config import hidden, revealed
from connectors.source import SourceConfig, Surroundings, TableConfig
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    from dlt.extract import DltResource

    from connectors.extraction.spool import Portion, Spool


class ResourceTable(TableConfig):
    """A table that is a resource of the module."""

    resource: Annotated[str | None, Field(description="the name of the dlt resource")] = None


class PythonSource(SourceConfig):
    """A source whose tables are dlt resources of a module, which runs only when it is looked at or read."""

    module: Annotated[str, Field(min_length=1, description="a path to a .py file, or the dotted name of a module")]
    function: Annotated[str, Field(min_length=1, description="the name of a function of the module")] = "source"
    arguments: Annotated[
        Annotated[Mapping[str, Any], AfterValidator(hidden)],
        Field(description="a mapping: what the function is called with", repr=False),
    ] = {}
    tables: Annotated[Mapping[str, ResourceTable], Field(description="a mapping of tables to their settings")] = {}
    _folder: Path = PrivateAttr()
    _home: Path = PrivateAttr()

    @model_validator(mode="after")
    def _in_its_surroundings(self, info: ValidationInfo) -> "PythonSource":
        known = info.context if isinstance(info.context, Surroundings) else None
        if not self.tables and not (known and known.draft):
            raise PydanticCustomError("python_tables", "names no table: it needs tables")
        self._folder = known.folder if known else Path.cwd()
        self._home = known.home if known else Path.cwd()
        return self

    def check(self) -> list[TableCheck]:
        """Whether the module gives the resources that are tables; none of them is read.

        Raises:
            DataInsightError: The module cannot be loaded, or its function fails.
        """
        with self._resources() as resources:
            found: list[TableCheck] = []
            for name, table in self.tables.items():
                problem = None if self._named(name, table, resources) else _unknown(name, table, resources)
                found.append({"table_name": name, "ok": problem is None, "problem": problem})
        return found

    def discover(self) -> list[DiscoveredTable]:
        """The module's resources, with what they say of themselves.

        Raises:
            DataInsightError: The module cannot be loaded, or its function fails.
        """
        with self._resources() as resources:
            names = {self._named(name, table, resources): name for name, table in self.tables.items()}
            return [self._discovered(resource, names.get(resource)) for resource in resources.values()]

    def extract(self, request: Request, spool: "Spool") -> None:
        """Read the resources one after the other, each with the state that its table's newest batch has left."""
        from connectors.python.module import telling_where

        with self._resources() as resources:
            for name, table in self.tables.items():
                resource = self._named(name, table, resources)
                if resource is None:
                    raise DataInsightError(f"source {self.name}: {_unknown(name, table, resources)}")
                said = _hints(resource)
                origin = {"module": self.module, "resource": resource.name}
                key = table.key or said["key"]
                with (
                    spool.portion(name, key=key, origin=origin, complete=said["replaces"], changelog=True) as portion,
                    telling_where(self.module, self._folder),
                ):
                    _read(resource, said["columns"], request, portion)

    @contextmanager
    def _resources(self) -> "Iterator[dict[str, DltResource]]":
        from connectors.python.module import resources_of

        with dlt_at(self._home):
            yield resources_of(self.module, self.function, revealed(self.arguments), self._folder)

    def _discovered(self, resource: "DltResource", table: str | None) -> DiscoveredTable:
        said = _hints(resource)
        key = (table and self.tables[table].key) or said["key"]
        columns = said["columns"]
        return {
            "table_name": table or column_name(resource.name).strip("_"),
            "key": [column_name(column) for column in key],
            "cursor": column_name(said["cursor"]) if said["cursor"] else None,
            "columns": [column_name(column) for column in columns],
            "types": {column_name(name): hint["data_type"] for name, hint in columns.items() if "data_type" in hint},
            "configured": table is not None,
            "settings": {} if (table or column_name(resource.name)) == resource.name else {"resource": resource.name},
        }

    @staticmethod
    def _named(name: str, table: ResourceTable, resources: "Mapping[str, DltResource]") -> "DltResource | None":
        if table.resource:
            return resources.get(table.resource)
        by_table = {column_name(resource): found for resource, found in resources.items()}
        return resources.get(name) or by_table.get(name)


def _read(resource: "DltResource", columns: Mapping[str, Any], request: Request, portion: "Portion") -> None:
    """Fill the portion; what the resource keeps in dlt's state goes with the batch, and nowhere else."""
    from dlt.common import json
    from dlt.common.configuration.container import Container
    from dlt.common.pipeline import StateInjectableContext
    from dlt.common.schema import Schema
    from dlt.extract import DltSource

    from connectors.python.rows import Rows

    kept = (request.state(portion.table) or {}).get("dlt")
    state: Any = json.typed_loads(kept) if kept else {}
    rows = Rows(resource.name, columns)
    # A resource by itself keeps its state under the name of whatever pipeline this process ran last, or of its module;
    # in a source of its own, always under the same.
    alone = DltSource(Schema("python"), "python", [resource])
    with Container().injectable_context(StateInjectableContext(state=state)):
        for item in alone:
            for batch in rows.batches(item):
                portion.write(batch)
        for batch in rows.rest():
            portion.write(batch)
    for payload in rows.unfit:
        portion.set_aside(payload)
    if len(rows.unfit) > portion.rows:
        raise RefusedError(f"{len(rows.unfit):,} rows do not fit the types said; the first: {rows.unfit[0]['reason']}")
    if state:
        portion.state = {"dlt": json.typed_dumps(state)}
        # Asked for everything, a resource that keeps a state has given everything.
        portion.complete = portion.complete or request.full_refresh


def _hints(resource: "DltResource") -> dict[str, Any]:
    """What the resource says of its table: key, columns, cursor, and whether each run replaces it."""
    schema = resource.compute_table_schema()
    columns: Mapping[str, Any] = schema.get("columns") or {}
    incremental = resource.incremental.incremental if resource.incremental else None
    return {
        "key": [name for name, hint in columns.items() if hint.get("primary_key")],
        "columns": columns,
        "cursor": incremental.cursor_path if incremental else None,
        "replaces": schema.get("write_disposition") == "replace",
    }


def _unknown(name: str, table: ResourceTable, resources: "Mapping[str, DltResource]") -> str:
    return f"there is no resource {table.resource or name}; the module gives {', '.join(resources) or 'none'}"
