"""The shapes of question that `benchmarks.serving` asks, each beside the same in SQL."""

from dataclasses import dataclass
from typing import Any

# The eighth has about 190,000 of ten million actions.
ORGANIZATION = "o8"


@dataclass(frozen=True)
class Shape:
    """A question, and the same in SQL.

    Attributes:
        organization: Whose rows; None: everybody's.
        sql: Over `{facts}` and `{organizations}`, of PostgreSQL and of DuckDB alike.
    """

    name: str
    organization: str | None
    question: dict[str, Any]
    sql: str


_OWN = f"organization_id = '{ORGANIZATION}'"
SHAPES = (
    Shape(
        "one tenant, actions by day", ORGANIZATION,
        {"metrics": ["user_actions"], "group_by": ["metric_time"], "grain": "day"},
        f"select action_date, count(user_action_id) from {{facts}} where {_OWN} group by 1 order by 1",
    ),
    Shape(
        "one tenant, actions by type in a quarter", ORGANIZATION,
        {
            "metrics": ["user_actions"], "group_by": ["action_type"],
            "time_range": {"start": "2024-01-01", "end": "2024-03-31"},
        },
        f"select action_type, count(user_action_id) from {{facts}} where {_OWN}"
        " and action_date between date '2024-01-01' and date '2024-03-31' group by 1 order by 1",
    ),
    Shape(
        "one tenant, users by month", ORGANIZATION,
        {"metrics": ["active_users"], "group_by": ["metric_time"], "grain": "month"},
        "select date_trunc('month', action_date), count(distinct case when user_id <> '(unknown)' then user_id end)"
        f" from {{facts}} where {_OWN} group by 1 order by 1",
    ),
    Shape(
        "all tenants, actions by month", None,
        {"metrics": ["user_actions"], "group_by": ["metric_time"], "grain": "month"},
        "select date_trunc('month', action_date), count(user_action_id) from {facts} group by 1 order by 1",
    ),
    Shape(
        "all tenants, actions by country", None,
        {"metrics": ["user_actions"], "group_by": ["organization__country"]},
        "select country, count(user_action_id) from {facts} as facts"
        " left join {organizations} as organizations using (organization_key) group by 1 order by 1",
    ),
)  # fmt: skip
