"""The numbers once more, by pandas straight from the marts in PostgreSQL: no MetricFlow, no DuckDB, no store."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from warehouse.database import Warehouse

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Family:
    """The metrics of one mart.

    Attributes:
        time: The column of their time.
        is_state: Only the last month of a period counts.
        metrics: What each comes to over some rows.
        dimensions: The column of each dimension that the mart has itself.
    """

    mart: str
    time: str
    is_state: bool
    metrics: dict[str, Callable[[pd.DataFrame], float | None]]
    dimensions: dict[str, str]


def _sum(column: str, share: float = 1.0) -> Callable[[pd.DataFrame], float | None]:
    return lambda rows: None if rows[column].dropna().empty else float(rows[column].astype(float).sum() * share)


def _mean(column: str) -> Callable[[pd.DataFrame], float | None]:
    return lambda rows: None if rows[column].dropna().empty else float(rows[column].astype(float).mean())


def _count(rows: pd.DataFrame) -> float | None:
    return len(rows) or None


def _users(rows: pd.DataFrame) -> float:
    return int(rows.loc[rows["user_id"] != "(unknown)", "user_id"].nunique())


def _active_organizations(rows: pd.DataFrame) -> float:
    return int(rows.loc[rows["active_subscriptions"] > 0, "organization_id"].nunique())


def _ratio(
    numerator: Callable[[pd.DataFrame], float | None], denominator: Callable[[pd.DataFrame], float | None]
) -> Callable[[pd.DataFrame], float | None]:
    def divided(rows: pd.DataFrame) -> float | None:
        above, below = numerator(rows), denominator(rows)
        return above / below if above is not None and below else None

    return divided


FAMILIES = [
    Family(
        "fact_user_actions",
        "action_date",
        is_state=False,
        metrics={"user_actions": _count, "active_users": _users, "actions_per_user": _ratio(_count, _users)},
        dimensions={"action_type": "action_type"},
    ),
    Family(
        "fact_feature_usage",
        "usage_date",
        is_state=False,
        metrics={"feature_uses": _sum("usage_count"), "usage_hours": _sum("usage_duration_seconds", 1 / 3600)},
        dimensions={"is_beta": "is_beta", "plan": "plan_id"},
    ),
    Family(
        "fact_support_tickets",
        "submitted_date",
        is_state=False,
        metrics={
            "tickets_opened": _count,
            "first_response_minutes": _mean("first_response_minutes"),
            "satisfaction": _mean("satisfaction_score"),
        },
        dimensions={"priority": "priority", "is_escalated": "is_escalated"},
    ),
    Family(
        "fact_churn_events",
        "churn_date",
        is_state=False,
        metrics={"churn_events": _count, "refunds_usd": _sum("refund_usd")},
        dimensions={"reason": "reason", "is_reactivation": "is_reactivation"},
    ),
    Family(
        "fact_organization_months",
        "month_start_date",
        is_state=True,
        metrics={
            "mrr": _sum("mrr_usd"),
            "arr": _sum("mrr_usd", 12),
            "active_subscriptions": _sum("active_subscriptions"),
            "active_organizations": _active_organizations,
            "arpa": _ratio(_sum("mrr_usd"), _active_organizations),
        },
        dimensions={"plan": "plan_id"},
    ),
]

ADDITIVE = frozenset(
    {
        *("user_actions", "feature_uses", "usage_hours", "tickets_opened", "churn_events", "refunds_usd"),
        *("mrr", "arr", "active_subscriptions"),
    }
)

# Those of the organization, which every mart here has.
SHARED = {
    "organization": "organization_id",
    "country": "country",
    "organization__industry": "industry",
    "referral_source": "referral_source",
    "organization__name": "name",
}

_OPERATORS: dict[str, Callable[[Any, list[Any]], bool]] = {
    "is_null": lambda *_: False,
    "is_not_null": lambda *_: True,
    "in": lambda value, values: value in values,
    "eq": lambda value, values: value == values[0],
    "not_in": lambda value, values: value not in values,
    "ne": lambda value, values: value != values[0],
    "contains": lambda value, values: values[0].lower() in value.lower(),
    "lt": lambda value, values: value < values[0],
    "lte": lambda value, values: value <= values[0],
    "gt": lambda value, values: value > values[0],
    "gte": lambda value, values: value >= values[0],
}

_PERIODS = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}


class Reference:
    """Answers computed with pandas.

    Args:
        warehouse: Where the marts are.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        with warehouse.engine().connect() as connection:
            organizations = pd.read_sql(sa.text("select * from marts.dim_organizations"), connection)
            self.rows = {
                family.mart: pd.read_sql(sa.text(f"select * from marts.{family.mart}"), connection).merge(
                    organizations.drop(columns=["organization_key"]), on="organization_id"
                )
                for family in FAMILIES
            }

    def answer(self, family: Family, metrics: list[str], question: dict[str, Any], organization: str | None) -> Any:
        """The values of metrics of one mart, by the values of what they are split by."""
        rows = self.rows[family.mart]
        columns = SHARED | family.dimensions
        if organization is not None:
            rows = rows[rows["organization_id"] == organization]
        for given in question["filters"]:
            rows = rows[_meets(rows[columns[given["dimension"]]], given["op"], given.get("values", []))]
        rows = _within(rows, family, question["time_range"])
        grain = question["grain"] or ("month" if family.is_state else "day")
        times = pd.to_datetime(rows[family.time])
        by_time = "metric_time" in question["group_by"]
        if family.is_state:
            period = times.dt.to_period(_PERIODS[grain]) if by_time else pd.Series(0, index=rows.index)
            rows = rows[times == times.groupby(period).transform("max")]
            times = pd.to_datetime(rows[family.time])
        if not question["group_by"]:
            return {(): [family.metrics[name](rows) for name in metrics]}
        keys = [
            times.dt.to_period(_PERIODS[grain]).dt.start_time.dt.date.astype(str)
            if name == "metric_time"
            else rows[columns[name]]
            for name in question["group_by"]
        ]
        found: dict[Key, list[Any]] = {}
        for key, group in rows.groupby([pd.Series(one, index=rows.index) for one in keys], dropna=False):
            told = tuple(None if pd.isna(part) else part for part in key)
            found[told] = [family.metrics[name](group) for name in metrics]
        return found


def _within(rows: pd.DataFrame, family: Family, time_range: dict[str, str]) -> pd.DataFrame:
    start, end = time_range.get("start"), time_range.get("end")
    if start is not None:
        first = date.fromisoformat(start)
        rows = rows[rows[family.time] >= (first.replace(day=1) if family.is_state else first)]
    if end is not None:
        rows = rows[rows[family.time] <= date.fromisoformat(end)]
    return rows


def _meets(column: "pd.Series[Any]", op: str, values: list[Any]) -> "pd.Series[bool]":
    """Which rows meet a condition, as docs/querying.md says."""

    def holds(value: Any) -> bool:
        if value is None or pd.isna(value):
            return op in ("is_null", "not_in", "ne")
        return bool(_OPERATORS[op](value, values))

    return column.map(holds).astype(bool)
