"""Asks Great Expectations to judge one batch by one suite; knows nothing of the ledger or of quarantine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quality.predicates import predicate
from quality.relation import Relation
from quality.suite import Expectation
from warehouse.database import Warehouse, quote_identifier
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.datasource.fluent.postgres_datasource import PostgresDatasource
    from great_expectations.expectations.expectation import Expectation as GxExpectation

# Great Expectations' own levels carry ours.
_LEVELS = {"batch": "critical", "row": "warning", "warn": "info"}

# Enough for the keys of a million rows to be grouped without touching the disk.
_SESSION = "-c timezone=UTC -c work_mem=64MB"


@dataclass(frozen=True)
class Verdict:
    """What Great Expectations said about one rule.

    Attributes:
        broken: How many rows break the rule; 0 for `rows_at_least`.
        row_numbers: Their `_row_number`s, as text of a bigint array; None when there are too many to list.
    """

    rule: Expectation
    kept: bool
    broken: int
    row_numbers: str | None


class Judge:
    """A session with Great Expectations; make one with `judging` and use it for many batches."""

    def __init__(self, datasource: "PostgresDatasource") -> None:
        self._datasource = datasource

    def judge(self, relation: Relation, rules: list[Expectation]) -> tuple[int, list[Verdict]]:
        """The number of rows in raw, and a verdict on each rule that is about rows, keys or their number.

        Raises:
            DataInsightError: A rule could not be evaluated; nothing can be said about the batch then.
        """
        from great_expectations import ExpectationSuite
        from great_expectations.expectations.core.expect_table_row_count_to_be_between import (
            ExpectTableRowCountToBeBetween,
        )

        counted = ExpectTableRowCountToBeBetween(min_value=0, meta={"rule": ""})
        asked = {rule.name: rule for rule in rules if rule.kind != "share_of_broken_rows"}
        suite = ExpectationSuite(
            name="batch", expectations=[counted, *(_translated(rule, relation) for rule in asked.values())]
        )
        asset = self._datasource.add_query_asset(name="batch", query=relation.rows)
        try:
            definition = asset.add_batch_definition("whole")
            result = definition.get_batch().validate(suite, result_format="BASIC")
        finally:
            self._datasource.delete_asset("batch")
        results = _by_rule(result)
        rows = int(results.pop("")["observed_value"])
        return rows, [_verdict(rule, results[name]) for name, rule in asked.items()]


@contextmanager
def judging(warehouse: Warehouse) -> Iterator[Judge]:
    """A judge with an ephemeral context and connections of its own, closed at the end; writes no file anywhere."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    # The default of an ephemeral context makes a temporary folder for a report site; ours makes none.
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    context = gx.get_context(mode="ephemeral", project_config=config)
    url = warehouse.url_object
    given = url.query.get("options", "")
    datasource = context.data_sources.add_postgres(
        "warehouse",
        connection_string=url.update_query_dict({"options": f"{given} {_SESSION}".strip()}).render_as_string(
            hide_password=False
        ),
        create_temp_table=False,
    )
    try:
        yield Judge(datasource)
    finally:
        datasource.get_engine().dispose()
        datasource.get_execution_engine().close()


def _translated(rule: Expectation, relation: Relation) -> "GxExpectation":
    from great_expectations.expectations.core.expect_table_row_count_to_be_between import (
        ExpectTableRowCountToBeBetween,
    )

    from quality.expectations import ExpectKeysToAgree, ExpectRowsToKeep

    told: dict[str, Any] = {
        "severity": _LEVELS[rule.severity],
        "description": rule.description,
        "meta": {"rule": rule.name, "owner": rule.owner},
    }
    if rule.rows_at_least is not None:
        return ExpectTableRowCountToBeBetween(min_value=rule.rows_at_least, **told)
    if rule.unique is not None:
        columns = ", ".join(map(quote_identifier, relation.columns))
        return ExpectKeysToAgree(key=_key(rule.unique), content=f"cast(row({columns}) as text)", **told)
    share = rule.tolerance.at_most if rule.tolerance else 0.0
    return ExpectRowsToKeep(predicate=predicate(rule), tolerated_share=share, **told)


def _key(columns: list[str]) -> str:
    """A key as one text; null where every part is blank, since such rows name nothing that could be in conflict."""
    parts = [f"nullif(btrim({quote_identifier(column)}), '')" for column in columns]
    if len(parts) == 1:
        return parts[0]
    listed = ", ".join(parts)
    return f"case when num_nonnulls({listed}) > 0 then cast(row({listed}) as text) end"


def _verdict(rule: Expectation, result: dict[str, Any]) -> Verdict:
    from quality.expectations import LISTED_ROWS

    observed = int(result["observed_value"])
    if rule.rows_at_least is not None:
        return Verdict(rule, bool(result["kept"]), 0, "{}")
    complete = rule.unique is not None or observed <= LISTED_ROWS
    return Verdict(rule, bool(result["kept"]), observed, result["row_numbers"] if complete else None)


def _by_rule(result: "ExpectationSuiteValidationResult") -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in result.results:
        configuration = one.expectation_config
        name = configuration.meta["rule"] if configuration and configuration.meta else ""
        reason = _raised(one.exception_info)
        if reason:
            raise DataInsightError(
                f"rule {name or 'row count'} could not be evaluated: {reason}",
                hint="correct the rule in the table's suite; the batch waits, unjudged, and is judged by the next run",
            )
        found[name] = {**one.result, "kept": one.success}
    return found


def _raised(exception_info: dict[str, Any] | None) -> str | None:
    """The first line of what was raised, from either shape that Great Expectations reports it in."""
    info = exception_info or {}
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if entry.get("raised_exception"):
            return str(entry.get("exception_message") or "unknown error").strip().splitlines()[0]
    return None
