"""Our two Great Expectations classes: rows keep a rule, and rows under one key agree.

Importing this module imports Great Expectations (seconds): do so inside functions only. Great Expectations' own
column expectations ask for several aggregates each and one statement per failing rule; these ask for one aggregate,
which Great Expectations bundles with those of every other rule into a single pass over the batch. The aggregate
also brings the numbers of the failing rows, so that no second pass has to look for them.
"""

from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial, metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

# More failing rows than this are counted but not listed: whoever needs them asks the rule again. It bounds the
# memory of one rule to about a megabyte.
LISTED_ROWS = 100_000

_bundled = metric_partial(
    engine=SqlAlchemyExecutionEngine,
    partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
    domain_type=MetricDomainTypes.TABLE,
)

# What Great Expectations wants of a bundled metric: the aggregate, its domain, and how to reach the result.
_Partial = tuple[sa.ColumnElement[Any], dict[str, Any], dict[str, Any]]


# Great Expectations passes a metric's class by keyword, so the first parameter must be named `cls`.


def _broken_rows(predicate: str) -> str:
    # PostgreSQL computes an aggregate that is written twice only once, and with it the predicate.
    return f"array_agg(_row_number) filter (where ({predicate}) is false)"


class _BrokenRowCount(TableMetricProvider):
    """How many rows make a predicate false."""

    metric_name = "datainsight.broken_row_count"
    value_keys = ("predicate",)

    @_bundled
    def _sqlalchemy(
        cls,  # noqa: N805
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: object,
    ) -> _Partial:
        broken = _broken_rows(metric_value_kwargs["predicate"])
        return sa.literal_column(f"coalesce(cardinality({broken}), 0)", sa.Integer), metric_domain_kwargs, {}


class _BrokenRowNumbers(TableMetricProvider):
    """Row numbers of rows that make a predicate false, the first `LISTED_ROWS` met, as text of a bigint array."""

    metric_name = "datainsight.broken_row_numbers"
    value_keys = ("predicate",)

    @_bundled
    def _sqlalchemy(
        cls,  # noqa: N805
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: object,
    ) -> _Partial:
        broken = _broken_rows(metric_value_kwargs["predicate"])
        listed = f"cast(({broken})[1:{LISTED_ROWS}] as text)"
        return sa.literal_column(f"coalesce({listed}, '{{}}')", sa.Text), metric_domain_kwargs, {}


class _ConflictingRowNumbers(TableMetricProvider):
    """Row numbers of rows that share a key with a different row, as text of a bigint array."""

    metric_name = "datainsight.conflicting_row_numbers"
    value_keys = ("key", "content")

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(
        cls,  # noqa: N805
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: object,
    ) -> str:
        rows = execution_engine.get_domain_records(domain_kwargs=metric_domain_kwargs)
        key = sa.literal_column(metric_value_kwargs["key"], sa.Text)
        # Materialized, so that the planner meets the few repeated keys before it looks at the rows a second time:
        # where there are none it then reads no row twice.
        repeated = (
            sa.select(key.label("key"))
            .select_from(rows)
            .where(key.is_not(None))
            .group_by(sa.literal_column("1"))
            .having(sa.func.count() > 1)
            .cte("repeated")
            .prefix_with("materialized")
        )
        suspect = (
            sa.select(
                sa.literal_column("_row_number", sa.BigInteger).label("number"),
                key.label("key"),
                sa.literal_column(metric_value_kwargs["content"], sa.Text).collate("C").label("content"),
            )
            .select_from(rows)
            .where(key.in_(sa.select(repeated.c.key)))
            .subquery("suspect")
        )
        compared = sa.select(
            suspect.c.number,
            (
                sa.func.min(suspect.c.content).over(partition_by=suspect.c.key)
                != sa.func.max(suspect.c.content).over(partition_by=suspect.c.key)
            ).label("differs"),
        ).subquery("compared")
        numbers = sa.cast(sa.func.array_agg(compared.c.number), sa.Text)
        found = execution_engine.execute_query(sa.select(numbers).where(compared.c.differs)).scalar()
        return str(found or "{}")


class ExpectRowsToKeep(BatchExpectation):
    """No row makes the predicate false, or no more than a tolerated share of them.

    Attributes:
        predicate: An SQL condition over the batch's columns; null counts as kept.
        tolerated_share: Of all rows of the batch, 0 to 1.
    """

    predicate: str
    tolerated_share: float = 0.0

    metric_dependencies: ClassVar[tuple[str, ...]] = (
        _BrokenRowCount.metric_name,
        _BrokenRowNumbers.metric_name,
        "table.row_count",
    )
    success_keys: ClassVar[tuple[str, ...]] = ("predicate", "tolerated_share")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002
        execution_engine: ExecutionEngine[Any] | None = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        broken = metrics[_BrokenRowCount.metric_name]
        return {
            "success": broken <= self.tolerated_share * metrics["table.row_count"],
            "result": {"observed_value": broken, "row_numbers": metrics[_BrokenRowNumbers.metric_name]},
        }


class ExpectKeysToAgree(BatchExpectation):
    """Rows under one key are the same row.

    Attributes:
        key: An SQL expression, text; rows where it is null are not compared.
        content: An SQL expression, text, that is the same for two rows only if they are the same.
    """

    key: str
    content: str

    metric_dependencies: ClassVar[tuple[str, ...]] = (_ConflictingRowNumbers.metric_name,)
    success_keys: ClassVar[tuple[str, ...]] = ("key", "content")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002
        execution_engine: ExecutionEngine[Any] | None = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        numbers: str = metrics[_ConflictingRowNumbers.metric_name]
        broken = 0 if numbers == "{}" else numbers.count(",") + 1
        return {"success": broken == 0, "result": {"observed_value": broken, "row_numbers": numbers}}
