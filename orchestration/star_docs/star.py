"""The star as dbt's manifest tells it: marts, their columns, keys and checks. Nothing here knows how it is shown."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Node = dict[str, Any]

SAVED_QUERIES = "metrics"


@dataclass(frozen=True)
class Column:
    """One column of a mart."""

    name: str
    data_type: str
    description: str
    is_nullable: bool


@dataclass(frozen=True)
class ForeignKey:
    """Columns that name a row of another mart."""

    columns: tuple[str, ...]
    mart: str
    to_columns: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """A test of a mart's rows, or of its logic.

    Attributes:
        kind: `data test` or `unit test`.
        says: What it makes sure of; empty when nothing but its name tells.
    """

    name: str
    kind: str
    says: str


@dataclass(frozen=True)
class Mart:
    """A table or view that readers see.

    Attributes:
        area: The folder it is in: `revenue`, `core` …; `metrics` for a saved query.
        description: Its grain in the first words.
        owner: Who answers for it; empty when nobody is named.
        unique: Columns whose values occur once, besides the primary key.
    """

    name: str
    area: str
    description: str
    owner: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    unique: frozenset[str]
    foreign_keys: tuple[ForeignKey, ...]
    checks: tuple[Check, ...]

    @property
    def grain(self) -> str:
        """What one row is: the first sentence of the description."""
        return re.split(r"(?<=\.)\s", self.description, maxsplit=1)[0]

    def keys_besides(self, marts: Iterable[str]) -> list[ForeignKey]:
        """Its foreign keys to other marts than these."""
        return [key for key in self.foreign_keys if key.mart not in marts]

    def key_to(self, column: str) -> ForeignKey | None:
        """The foreign key that a column is part of."""
        return next((key for key in self.foreign_keys if column in key.columns), None)


def read_star(manifest: dict[str, Any]) -> list[Mart]:
    """Every mart by area and name, then every saved query."""
    nodes = manifest["nodes"].values()
    models = [node for node in nodes if node["resource_type"] == "model" and node["fqn"][1] in ("marts", SAVED_QUERIES)]
    checks = _checks(manifest)
    return sorted(
        (_mart(model, tuple(sorted(checks.get(model["name"], []), key=lambda check: check.name))) for model in models),
        key=lambda mart: (mart.area == SAVED_QUERIES, mart.area, mart.name),
    )


def _mart(model: Node, checks: tuple[Check, ...]) -> Mart:
    constraints = model["constraints"]
    primary_key = tuple(next((c["columns"] for c in constraints if c["type"] == "primary_key"), ()))
    columns = model["columns"].values()
    return Mart(
        name=model["name"],
        area=model["fqn"][2] if model["fqn"][1] == "marts" else SAVED_QUERIES,
        description=_one_line(model["description"]),
        owner=str(model["config"]["meta"].get("owner", "")),
        columns=tuple(
            Column(
                name=column["name"],
                data_type=column["data_type"] or "",
                description=_one_line(column["description"]),
                is_nullable=column["name"] not in primary_key and not _has(column, "not_null"),
            )
            for column in columns
        ),
        primary_key=primary_key,
        unique=frozenset(
            {column["name"] for column in columns if _has(column, "unique")}
            | {c["columns"][0] for c in constraints if c["type"] == "unique" and len(c["columns"]) == 1}
        ),
        foreign_keys=tuple(_foreign_keys(model)),
        checks=checks,
    )


def _has(column: Node, constraint: str) -> bool:
    return any(one["type"] == constraint for one in column["constraints"])


def _foreign_keys(model: Node) -> Iterator[ForeignKey]:
    stated = [(c, c["columns"]) for c in model["constraints"]]
    stated += [(c, [column["name"]]) for column in model["columns"].values() for c in column["constraints"]]
    for constraint, columns in stated:
        if constraint["type"] == "foreign_key":
            # `ref('dim_plans')` while parsed, the relation's own name once compiled.
            target = re.findall(r"\w+", constraint["to"])[-1]
            yield ForeignKey(tuple(columns), target, tuple(constraint["to_columns"]))


def _checks(manifest: dict[str, Any]) -> dict[str, list[Check]]:
    """The tests of each model, by the model's name."""
    found: dict[str, list[Check]] = {}
    for test in manifest["unit_tests"].values():
        found.setdefault(test["model"], []).append(Check(test["name"], "unit test", _one_line(test["description"])))
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test":
            for model in _tested(node):
                found.setdefault(model, []).append(Check(node["name"], "data test", _said(node)))
    return found


def _tested(test: Node) -> list[str]:
    """A generic test is attached to its model; of a singular one its `meta` says for which model it reports."""
    if test.get("attached_node"):
        return [str(test["attached_node"]).rpartition(".")[2]]
    reference = ((test["config"].get("meta") or {}).get("dagster") or {}).get("ref")
    return [reference["name"]] if reference else []


def _said(test: Node) -> str:
    """A test's description, else the comment that a singular test begins with."""
    if test["description"]:
        return _one_line(test["description"])
    comment = re.match(r"\s*((?:--.*\n)+)", test["raw_code"])
    return _one_line(comment.group(1).replace("--", " ")) if comment else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
