"""Looks at a database without landing anything: the doors `check` and `discover`."""

import re
from typing import TYPE_CHECKING, Any

from connectors.database.plan import chosen, names_in_raw, plan
from connectors.database.relation import Column, Relation, find_column
from connectors.database.session import Session, open_session
from connectors.names import column_name
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    from connectors.database.kind import DatabaseSource
    from connectors.extraction.request import DiscoveredTable, TableCheck

# Only what says that a row was changed is proposed: a growing id or created_at would miss every later change.
_CHANGED = re.compile(
    r"_?(row_?)?(last_?)?(updated?|modified|changed|modification|change)(_?(at|on|date|time|ts|timestamp|datetime|utc|dt))*_?",
    re.IGNORECASE,
)
_MOMENT = re.compile(r"timestamp|datetime", re.IGNORECASE)


def check(source: "DatabaseSource") -> "list[TableCheck]":
    """Whether each table can be read; `rows` is the server's own estimate.

    Raises:
        DataInsightError: The database cannot be reached at all.
    """
    found: list[TableCheck] = []
    with open_session(source.address, source.schema_) as session:
        for name, (config, relation) in chosen(source, session).items():
            rows: int | None = None
            problem = relation if isinstance(relation, str) else None
            if isinstance(relation, Relation):
                try:
                    plan(name, config, relation, session)
                    rows = session.estimate(relation)
                except DataInsightError as error:
                    problem = error.message
            found.append({"table_name": name, "ok": problem is None, "problem": problem, "rows": rows})
    return found


def discover(source: "DatabaseSource") -> "list[DiscoveredTable]":
    """Every table and view of the schemas, and every table that `sources.yaml` names.

    Raises:
        DataInsightError: The database cannot be reached at all.
    """
    with open_session(source.address, source.schema_) as session:
        schemas = session.schemas()
        configured = {
            name: (config, relation)
            for name, (config, relation) in (chosen(source, session) if source.tables or source.include else {}).items()
            if isinstance(relation, Relation)
        }
        known = {relation for _, relation in configured.values()}
        others = [item for item in session.relations() if item.schema in schemas and item not in known]
        reachable = {**configured, **{name: (None, item) for name, item in names_in_raw(others, configured).items()}}
        found = []
        for name, (config, relation) in reachable.items():
            try:
                found.append(_described(name, relation, session, config))
            except DataInsightError:
                # What this user may see but not read is not in reach; `check` says why.
                continue
    return found


def _described(name: str, relation: Relation, session: Session, config: Any) -> "DiscoveredTable":
    columns = session.columns(relation)
    if config and config.columns:
        columns = [find_column(columns, wanted, "column to land", relation) for wanted in config.columns]
    key = list(config.key) if config and config.key else session.key(relation)
    cursor = config.cursor if config and config.cursor else proposed_cursor(columns)
    settings: dict[str, Any] = {}
    if relation.query is not None:
        settings["query"] = relation.query
    elif relation.name != name or relation.schema not in session.schemas()[:1]:
        settings["table"] = relation.said
    if key:
        settings["key"] = key[0] if len(key) == 1 else key
    if cursor:
        settings["cursor"] = cursor
    if config:
        settings |= config.model_dump(mode="json", include={"lag", "columns", "cast"}, exclude_defaults=True)
    return {
        "table_name": name,
        "key": [column_name(column) for column in key],
        "cursor": column_name(cursor) if cursor else None,
        "columns": [column_name(column.name) for column in columns],
        "types": {column_name(column.name): column.type_name for column in columns},
        "configured": config is not None,
        "settings": settings,
    }


def proposed_cursor(columns: list[Column]) -> str | None:
    """The column that says when a row was last changed, if one does."""
    moments = [column.name for column in columns if _MOMENT.search(column.type_name)]
    return next((name for name in moments if _CHANGED.fullmatch(name)), None)
