"""What metrics mean at a snapshot: dbt's semantic manifest, in a form that is equal for equal metrics."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from serving.marts import SCHEMAS
from warehouse.errors import DataInsightError

# What differs between two parses of the same files, or two databases, and says nothing about a metric.
_VOLATILE = frozenset({"metadata", "database", "relation_name"})


@dataclass(frozen=True)
class Definitions:
    """What every metric, dimension and measure means.

    Attributes:
        manifest: The semantic manifest, normalised.
    """

    manifest: dict[str, Any]

    @cached_property
    def text(self) -> str:
        """The manifest as canonical JSON."""
        return json.dumps(self.manifest, sort_keys=True, ensure_ascii=False)

    @cached_property
    def version(self) -> str:
        """A short name of exactly these definitions."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    @cached_property
    def time_columns(self) -> dict[str, str]:
        """The column by which each mart's measures are told in time, where it is a plain column."""
        found: dict[str, str] = {}
        for model in self.manifest["semantic_models"]:
            name = (model.get("defaults") or {}).get("agg_time_dimension")
            for dimension in model["dimensions"]:
                if dimension["name"] == name:
                    found.setdefault(model["node_relation"]["alias"], dimension.get("expr") or name)
        return found


def read_definitions(semantic_manifest: Path) -> Definitions:
    """Read dbt's `semantic_manifest.json`.

    Raises:
        DataInsightError: There is no such file, or it is not a semantic manifest.
    """
    try:
        manifest = json.loads(semantic_manifest.read_text(encoding="utf-8"))
        return parse_definitions(manifest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataInsightError(
            f"the semantic manifest {semantic_manifest} cannot be read: {str(error).splitlines()[0]}",
            hint="dbt writes it with every build; run `datainsight run`",
        ) from error


def parse_definitions(manifest: dict[str, Any]) -> Definitions:
    """Normalise a semantic manifest: what is volatile is left out, what has no order is sorted by name."""
    normal = _without_volatile(manifest)
    for collection in ("semantic_models", "metrics", "saved_queries"):
        normal[collection] = sorted(normal[collection], key=lambda item: str(item["name"]))
    return Definitions(normal)


def read_lineage(manifest_file: Path) -> dict[str, list[str]]:
    """The landed tables behind each mart, `source.table`, from the `manifest.json` that dbt wrote beside it.

    Returns:
        Nothing when there is no such file; then a mart stands on every batch.
    """
    if not manifest_file.exists():
        return {}
    manifest = json.loads(manifest_file.read_text(encoding="utf-8"))
    nodes, sources = manifest["nodes"], manifest["sources"]
    known: dict[str, frozenset[str]] = {
        unique_id: frozenset({f"{source['schema'].removeprefix('raw_')}.{source['identifier']}"})
        if source["schema"].startswith("raw_")
        else frozenset()
        for unique_id, source in sources.items()
    }

    def behind(unique_id: str) -> frozenset[str]:
        if unique_id not in known:
            parents = _read_parents(nodes.get(unique_id, {}))
            known[unique_id] = frozenset().union(*(behind(parent) for parent in parents))
        return known[unique_id]

    return {
        node["alias"]: sorted(behind(unique_id))
        for unique_id, node in nodes.items()
        if node["resource_type"] == "model" and node["schema"] in SCHEMAS
    }


def _read_parents(node: dict[str, Any]) -> list[str]:
    """The nodes that a model reads; one that only its foreign keys point to is none, though dbt waits for it."""
    constraints = [*node.get("constraints", ())]
    for column in node.get("columns", {}).values():
        constraints += column.get("constraints", ())
    targets = " ".join(constraint.get("to") or "" for constraint in constraints)

    def is_read(parent: str) -> bool:
        name = parent.rpartition(".")[2]
        return name not in targets or name in node["raw_code"]

    return [parent for parent in node.get("depends_on", {}).get("nodes", ()) if is_read(parent)]


def _without_volatile(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_volatile(item) for name, item in value.items() if name not in _VOLATILE}
    return [_without_volatile(item) for item in value] if isinstance(value, list) else value
