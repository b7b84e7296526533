"""Erases what was ordered to be erased: from the rows of PostgreSQL, then from all that was made of them.

Each step may be interrupted and comes to the same when it is done again, so the next call goes on with what is left.
"""

import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from connectors.landing.erasure import erase_landed, pseudonym
from orchestration.dbt import build, prepare_manifest
from orchestration.freshness import present_state
from orchestration.pipeline import Pipeline, open_pipeline
from serving.identity.audit import write_down
from serving.privacy.accounts import erase_account, erase_invitations
from serving.privacy.erasures import (
    Erasure,
    Order,
    find_erasure,
    note_done,
    note_erased,
    note_touched,
    note_trouble,
    open_orders,
    unsealed,
)
from serving.privacy.events import SOURCE, erase_events
from warehouse.connect import database_name
from warehouse.database import LOADER, TRANSFORMER, Warehouse, quote_identifier
from warehouse.errors import DataInsightError
from warehouse.personal_data import load_personal_data, place
from warehouse.personal_rows import undeclared_tables, value_of
from warehouse.settings import Settings

# A pass that is under way may take its time, and whoever ordered an erasure has a month's.
_PATIENCE_SECONDS = 6 * 3600

# Servers look for a new snapshot every half a second, and answer at once from one that withdraws those before it.
_SWAP_SECONDS = 5.0

_RAW = "raw_"
_FAILURES = (DataInsightError, sa.exc.SQLAlchemyError)

# The star of the past is made of raw alone, and can be made again.
_PAST = sa.text(
    "select nspname from pg_namespace"
    " where nspname ~ '^(staging|intermediate|marts|personal|metrics|partitions)_as_of_' order by nspname"
)


def erase_ordered(settings: Settings, say: Callable[[str], None] = lambda _line: None) -> list[Erasure]:
    """Carry out every order that is not done; nothing lands and nothing is built meanwhile.

    Args:
        settings: Whose warehouse and metric store.
        say: Told a line when a step begins.

    Returns:
        The orders that are done now.

    Raises:
        DataInsightError: A step failed; what is left is done by the next call. The orders say why, too.
    """
    with open_pipeline(settings, patience_seconds=_PATIENCE_SECONDS) as pipeline:
        orders, failures = _erase_each(pipeline, say)
        ids = [order.erasure_id for order in orders]
        try:
            _make_anew(pipeline, ids, say)
        except _FAILURES as error:
            _note_failure(pipeline.warehouse, ids, error)
            raise
        with pipeline.warehouse.engine().begin() as connection:
            note_done(connection, ids)
            for order in orders:
                write_down(
                    connection,
                    "command",
                    "privacy.erased",
                    organization_id=order.whom.organization_id,
                    details={"erasure_id": order.erasure_id},
                )
            done = [find_erasure(connection, erasure_id, None) for erasure_id in ids]
        if failures:
            raise failures[0]
        return done


def _erase_each(pipeline: Pipeline, say: Callable[[str], None]) -> tuple[list[Order], list[Exception]]:
    """Erase from PostgreSQL's rows, order by order; one that fails keeps none of the others waiting.

    Returns:
        The orders of which PostgreSQL's rows tell no more, and why it failed for the others.
    """
    erased: list[Order] = []
    failures: list[Exception] = []
    with pipeline.warehouse.engine().connect() as connection:
        found = open_orders(connection)
    for sealed in found:
        try:
            order = unsealed(pipeline.settings, sealed)
            if order.state == "requested":
                say(f"{order.erasure_id}: erasing from what was reported and landed")
                _erase_rows(pipeline.warehouse, order)
        except _FAILURES as error:
            _note_failure(pipeline.warehouse, [sealed.erasure_id], error)
            failures.append(error)
        else:
            erased.append(order)
    return erased, failures


def _note_failure(warehouse: Warehouse, erasure_ids: list[str], error: Exception) -> None:
    # Of an error of PostgreSQL, the first line alone: the others may quote the statement.
    reason = error.message if isinstance(error, DataInsightError) else str(error).splitlines()[0]
    with warehouse.engine().begin() as connection:
        note_trouble(connection, erasure_ids, reason)


def _make_anew(pipeline: Pipeline, erasure_ids: list[str], say: Callable[[str], None]) -> None:
    """Let go of all that was made of the rows that were changed; where none were, there is nothing to do."""
    touched = _touched(pipeline.warehouse, erasure_ids)
    _forget_dead_rows(pipeline.warehouse, touched)
    if any(table.startswith(_RAW) for table in touched):
        say("making the star anew")
        _rebuild(pipeline)
        say("publishing the metric store, and deleting what was published before")
        _publish(pipeline)


def _erase_rows(warehouse: Warehouse, order: Order) -> None:
    whom = order.whom

    def touched(connection: sa.Connection, table: str, rows: int) -> None:
        note_touched(connection, order.erasure_id, table, rows)

    with warehouse.engine().begin() as connection:
        if order.user_id is not None:
            for table, rows in erase_account(connection, order.user_id, whom.organization_id).items():
                touched(connection, table, rows)
        if whom.source is None:
            touched(connection, "app.invitations", erase_invitations(connection, whom.emails, whom.organization_id))
        if whom.source in (None, SOURCE):
            instead = pseudonym(value_of(place("user_id")))
            touched(connection, "app.events", erase_events(connection, whom, instead, order.salt))
    declared = load_personal_data()
    for (source, table), personal in declared.of_persons.items():
        if whom.source in (None, source):
            erase_landed(warehouse, source, table, personal, whom, order.salt, touched)
    with warehouse.engine().begin() as connection:
        known = {(source, table) for source, _, table in (name.partition(".") for name in declared.tables)}
        note_erased(connection, order.erasure_id, undeclared_tables(connection, known))


def _touched(warehouse: Warehouse, erasure_ids: list[str]) -> list[str]:
    """The tables that were changed, by this call or by one that did not come to its end."""
    with warehouse.engine().connect() as connection:
        changed: list[dict[str, Any]] = [
            find_erasure(connection, erasure_id, None).touched.get("rows", {}) for erasure_id in erasure_ids
        ]
    return sorted({table for tables in changed for table in tables})


def _forget_dead_rows(warehouse: Warehouse, tables: list[str]) -> None:
    """Make room of the former versions of rows, and have the planner's samples taken from the new ones."""
    for name in tables:
        engine = warehouse.engine(LOADER if name.startswith(_RAW) else None)
        schema, _, table = name.partition(".")
        relation = f"{quote_identifier(schema)}.{quote_identifier(table)}"
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if connection.execute(sa.text("select to_regclass(:name)"), {"name": relation}).scalar_one() is not None:
                connection.exec_driver_sql(f"vacuum (analyze) {relation}")


def _rebuild(pipeline: Pipeline) -> None:
    """Every model anew, from raw: the incremental ones know nothing of rows that change without a new admission."""
    with pipeline.warehouse.engine(TRANSFORMER).begin() as connection:
        past: list[str] = list(connection.execute(_PAST).scalars())
        for schema in past:
            connection.exec_driver_sql(f"drop schema {quote_identifier(schema)} cascade")
    outcome = build(pipeline.warehouse, pipeline.settings.home, full_refresh=True, variables=pipeline.variables)
    pipeline.report.build = outcome
    if outcome.failed():
        first = outcome.failed()[0]
        raise DataInsightError(
            f"the star could not be made anew: {first.kind} {first.unique_id.split('.')[2]} failed",
            hint="`datainsight run --full-refresh` says why; then call `datainsight privacy erase` again",
        )


def _publish(pipeline: Pipeline) -> None:
    """A new snapshot, and nothing left of those before: not in files, not in caches."""
    from serving.shared_answers import SharedAnswers
    from serving.store import delete_withdrawn, publish

    settings, warehouse = pipeline.settings, pipeline.warehouse
    state = present_state(pipeline)
    folder = prepare_manifest(database_name(settings), settings.home, pipeline.variables)
    publish(
        warehouse,
        settings,
        semantic_manifest=folder / "semantic_manifest.json",
        fingerprint=state.fingerprint,
        admission_seq=state.admission_seq,
        checks=pipeline.report.build.checks if pipeline.report.build else {},
        anew=True,
    )
    # A server may be warming an earlier snapshot, for as long as one question takes, and looks for this one only then.
    # From there on it begins no statement over what was withdrawn, and those that run end within as long again.
    time.sleep(_SWAP_SECONDS + 2 * settings.query_seconds)
    delete_withdrawn(warehouse, settings)
    if settings.redis_url is not None:
        shared = SharedAnswers(settings.redis_url.get_secret_value(), 0)
        try:
            shared.clear()
        finally:
            shared.close()
