"""Judges the landed batches, oldest first: one transaction a batch decides all of it, or nothing.

Write, audit, publish: rows are in raw already, readers see them only once their batch is admitted here.
"""

from pathlib import Path

import sqlalchemy as sa

from quality.admission import decide, hold_landed, quarantined_rows
from quality.check import Check, status_of
from quality.columns import check_columns
from quality.quarantine import set_aside
from quality.relation import Relation
from quality.suite import SUITES_FOLDER, Expectation, Suite, load_suite, unique_name
from quality.verdicts import Judge, judging
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError
from warehouse.ledger import Batch, list_batches


def validate_landed(warehouse: Warehouse, source: str | None = None, *, suites: Path = SUITES_FOLDER) -> list[int]:
    """Judge every batch with status `landed`; safe to repeat, to kill, and to run twice at once.

    Args:
        source: Only batches of this source; None for all.
        suites: The folder of the suites, `<source>/<table>.yaml`.

    Returns:
        Ids of the batches that were judged, oldest first.

    Raises:
        DataInsightError: A suite is malformed, or a rule could not be evaluated. The batches concerned stay
            `landed`, and so do later ones of the same tables; every other one has been judged.
    """
    with warehouse.engine().connect() as connection:
        waiting = list_batches(connection, source=source, status="landed")[::-1]
    judged: list[int] = []
    failures: list[DataInsightError] = []
    suited: list[tuple[Batch, Suite]] = []
    for batch in waiting:
        try:
            suite = load_suite(batch.source, batch.table_name, suites)
        except DataInsightError as error:
            failures.append(error)
            continue
        if suite is not None:
            suited.append((batch, suite))
        elif _admit_uncovered(warehouse, batch):
            judged.append(batch.batch_id)
    if suited:
        judged += _judge_each(warehouse, suited, failures)
    if failures:
        raise failures[0]
    return sorted(judged)


def _judge_each(warehouse: Warehouse, suited: list[tuple[Batch, Suite]], failures: list[DataInsightError]) -> list[int]:
    """Judge batches in their order; what could not be judged is added to `failures`."""
    judged: list[int] = []
    # A later batch must not be admitted before an earlier one of its table: the later admission is the newer version.
    held: set[str] = set()
    with judging(warehouse) as judge:
        for batch, suite in suited:
            if batch.name in held:
                continue
            try:
                if _judge(warehouse, judge, batch, suite):
                    judged.append(batch.batch_id)
            except DataInsightError as error:
                failures.append(error)
                held.add(batch.name)
    return judged


def _admit_uncovered(warehouse: Warehouse, batch: Batch) -> bool:
    with warehouse.engine().begin() as connection:
        if not hold_landed(connection, batch):
            return False
        note = Check(
            name="covered_by_a_suite",
            description="A suite says what the rows of this table must be.",
            severity="warn",
            owner="data-platform",
            status="warned",
            detail=f"no suite covers {batch.name}: add quality/suites/{batch.source}/{batch.table_name}.yaml",
        )
        decide(connection, batch, [note])
    return True


def _judge(warehouse: Warehouse, judge: Judge, batch: Batch, suite: Suite) -> bool:
    try:
        with warehouse.engine().begin() as connection:
            if not hold_landed(connection, batch):
                return False
            checks = check_columns(connection, batch, suite)
            if not any(check.refuses for check in checks):
                checks += _judge_rows(connection, judge, batch, suite)
            decide(connection, batch, checks)
    except (DataInsightError, sa.exc.SQLAlchemyError) as error:
        reason = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        raise DataInsightError(
            f"batch {batch.batch_id} of {batch.name} could not be judged: {str(reason).strip().splitlines()[0]}",
            hint=getattr(error, "hint", None) or "nothing of it was admitted; the next run judges it again",
        ) from error
    return True


def _judge_rows(connection: sa.Connection, judge: Judge, batch: Batch, suite: Suite) -> list[Check]:
    rules = [*suite.expectations, *_rules_of_the_key(batch, suite)]
    relation = Relation.of(connection, batch, [*suite.columns, *batch.key_columns])
    rows, verdicts = judge.judge(relation, rules)
    unreadable = quarantined_rows(connection, batch)
    checks = [_accounting(batch, suite, rows, unreadable)]
    checks += [Check.of(verdict.rule, kept=verdict.kept, failed_rows=verdict.broken) for verdict in verdicts]
    broken = [verdict for verdict in verdicts if verdict.rule.severity == "row" and not verdict.kept]
    most = max((verdict.broken for verdict in broken), default=0)
    with connection.begin_nested() as quarantining:
        # One rule alone may show that far too many rows are broken; then none is copied only to be counted.
        shares = _shares(rules, batch, most + unreadable)
        if not any(check.refuses for check in [*checks, *shares]):
            shares = _shares(rules, batch, set_aside(connection, batch, relation, broken) + unreadable)
        checks += shares
        if any(check.refuses for check in checks):
            quarantining.rollback()
    return checks


def _rules_of_the_key(batch: Batch, suite: Suite) -> list[Expectation]:
    """The rule that rows under the source's key agree, unless the suite has it in words of its own.

    In a batch whose rows are versions in order of arrival they need not: the last one stands.
    """
    key = batch.key_columns
    if not key or batch.is_changelog or any(set(rule.unique or []) == set(key) for rule in suite.expectations):
        return []
    return [
        Expectation(
            name=unique_name(key),
            description=f"Rows under one {', '.join(key)} in one delivery do not contradict each other.",
            severity="row",
            owner=suite.owner,
            unique=key,
        )
    ]


def _accounting(batch: Batch, suite: Suite, rows: int, unreadable: int) -> Check:
    complete = rows + unreadable == batch.row_count
    told = f"{batch.row_count} rows were read, {rows} are in raw and {unreadable} in quarantine"
    return Check(
        name="all_rows_accounted_for",
        description="Every row that was read is in raw or in quarantine.",
        severity="batch",
        owner=suite.owner,
        status=status_of("batch", kept=complete),
        detail=None if complete else told,
    )


def _shares(rules: list[Expectation], batch: Batch, broken: int) -> list[Check]:
    """The outcome of every rule on the share of broken rows, if `broken` rows (or at least so many) are."""
    checks = []
    for rule in rules:
        if rule.share_of_broken_rows is not None:
            limit = rule.share_of_broken_rows.at_most
            kept = broken <= limit * batch.row_count
            told = f"at least {broken} of {batch.row_count} rows are broken; {limit:.0%} may be"
            checks.append(Check.of(rule, kept=kept, failed_rows=broken, detail=None if kept else told))
    return checks
