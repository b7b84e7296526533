"""Where an answer comes from: how its metrics are defined, what it reads, by which rule, and with which statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from serving.catalog import Catalog
from serving.query import MetricQuery
from serving.snapshots import Snapshot
from warehouse.policy import Policy


@dataclass(frozen=True)
class Explained:
    """One plain question that is asked for an answer.

    Attributes:
        sql: Its statement, over the marts by their names.
    """

    query: MetricQuery
    sql: str
    marts: frozenset[str]


def explanation(
    catalog: Catalog,
    policy: Policy,
    snapshot: Snapshot,
    metrics: Sequence[str],
    organization: str | None,
    questions: Sequence[Explained],
) -> dict[str, Any]:
    """An explanation as JSON values.

    Args:
        catalog: How metrics are defined.
        policy: Whose the rows of each mart are.
        snapshot: What answers.
        metrics: What was asked for.
        organization: Whose rows it is answered from; None: everybody's.
        questions: The plain questions that the answer is made of.
    """
    marts = frozenset[str]().union(*(question.marts for question in questions))
    return {
        "snapshot_id": snapshot.snapshot_id,
        "definition_version": snapshot.definition_version,
        "policy_version": policy.version,
        "definitions": [catalog.definition(name) for name in metrics],
        "marts": [_mart(policy, snapshot, mart, organization) for mart in sorted(marts)],
        "statements": list(_statements(questions)),
    }


def _mart(policy: Policy, snapshot: Snapshot, mart: str, organization: str | None) -> dict[str, Any]:
    rule = policy.mart(mart)
    rows = "all" if organization is None else "shared" if rule.shared else "own"
    # How many rows there are is not told: they are everybody's.
    return {
        "name": mart,
        "rows": rows,
        "organization_column": rule.organization_column,
        "landed_tables": snapshot.tables[mart].sources,
    }


def _statements(questions: Sequence[Explained]) -> Iterable[dict[str, Any]]:
    told: set[str] = set()
    for question in questions:
        if question.sql not in told:
            told.add(question.sql)
            yield {
                "question": question.query.model_dump(mode="json", exclude_defaults=True),
                "sql": question.sql,
            }
