"""What a user changes of a table's request in `sources.yaml`: query parameters, and parts of the JSON body."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError

from connectors.rest.definition import Definition, RestTable
from connectors.rest.placeholders import names_in

if TYPE_CHECKING:
    from connectors.rest.kind import RestTableConfig


def overridden(definition: Definition, tables: Mapping[str, "RestTableConfig"]) -> Definition:
    """The definition with what the user says of its tables' requests."""
    changed = dict(definition.tables)
    for name, config in tables.items():
        endpoint = changed[name].endpoint
        body = endpoint.json_body if config.json_body is None else merged(endpoint.json_body, config.json_body)
        update = {"params": merged(endpoint.params, config.params), "json_body": body}
        changed[name] = changed[name].model_copy(update={"endpoint": endpoint.model_copy(update=update)})
    return definition.model_copy(update={"tables": changed})


def merged(base: Any, change: Any) -> Any:
    """The base with the change in it: mappings key by key, null takes a key away, all else takes the other's place."""
    if not isinstance(base, Mapping) or not isinstance(change, Mapping):
        return change
    both = {key: merged(base.get(key), value) for key, value in change.items()}
    return {key: value for key, value in {**base, **both}.items() if key not in change or value is not None}


def check_placeholders(definition: Definition, name: str, settings: Mapping[str, Any]) -> None:
    """Whether what a user writes into a request mentions only what the table knows.

    Raises:
        PydanticCustomError: It does not.
    """
    table = definition.tables[name]
    known = {*definition.parameters, *_of_the_table(table)}
    for mentioned in names_in([settings.get("params"), settings.get("json")]):
        if mentioned not in known:
            raise PydanticCustomError(
                "tables",
                "has a table {table} that mentions {mentioned}; there are {known}, and a brace is written {brace}",
                {
                    "table": name,
                    "mentioned": f"{{{mentioned}}}",
                    "known": ", ".join(sorted(known)) or "no placeholders",
                    "brace": "{{ or }}",
                },
            )


def _of_the_table(table: RestTable) -> list[str]:
    bounds = ["incremental.start_value", "incremental.end_value"] if table.endpoint.incremental else []
    fields = [
        f"resources.{parent}.{field}" for parent, names in table.endpoint.parent_fields.items() for field in names
    ]
    return [*bounds, *fields]
