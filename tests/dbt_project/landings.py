"""Lands small tables the way the connectors and quality do, without them: rows in raw, batches in the ledger."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from warehouse.database import LOADER, Warehouse

Row = Mapping[str, str | None]

COLUMNS = {
    "saas.accounts": "account_id account_name industry country signup_date plan_tier seats is_trial churn_flag",
    "saas.subscriptions": "subscription_id account_id start_date end_date plan_tier seats mrr_amount arr_amount",
    "saas.feature_usage": "usage_id subscription_id usage_date feature_name usage_count usage_duration_secs",
    "saas.support_tickets": "ticket_id account_id submitted_at closed_at priority first_response_time_minutes"
    " satisfaction_score",
    "saas.churn_events": "churn_event_id account_id churn_date reason_code refund_amount_usd",
    "saas.invoices": "invoice_id account_id subscription_id issued_date due_date paid_date status currency subtotal_usd"
    " tax_usd total_usd",
    "saas.dashboards": "dashboard_id account_id title created_at updated_at created_by widget_count is_shared",
    "saas.opportunities": "opportunity_id account_id kind stage amount_usd probability created_date closed_date is_won"
    " is_closed owner",
    "github.events": "id type actor repo org created_at payload",
    "platform.events": "organization_id event_id user_id action occurred_at dashboard_id feature object",
}


def land(
    warehouse: Warehouse,
    name: str,
    rows: Sequence[Row],
    *,
    status: str = "admitted",
    quarantined: Sequence[int] = (),
    columns: str | None = None,
) -> int:
    """Append one batch to `raw_<source>.<table>` and write it into the ledger.

    Args:
        name: `source.table`.
        status: What quality decided.
        quarantined: Row numbers, from 1, that quality set aside.
        columns: Names of the raw columns, when not all.

    Returns:
        The batch's id.
    """
    source, table = name.split(".")
    names = (columns or COLUMNS[name]).split()
    with warehouse.engine(LOADER).begin() as connection:
        connection.execute(sa.text(f"create schema if not exists raw_{source}"))
        typed = ", ".join(f'"{column}" text' for column in names)
        connection.execute(
            sa.text(f"create table if not exists raw_{source}.{table} ({typed}, _row_number bigint, _dlt_load_id text)")
        )
        load_id = f"{connection.execute(sa.text('select clock_timestamp()')).scalar_one().timestamp():.6f}"
        if rows:
            connection.execute(
                sa.text(
                    f"insert into raw_{source}.{table} ({', '.join(names)}, _row_number, _dlt_load_id) values"
                    f" ({', '.join(f':{column}' for column in names)}, :_row_number, :_dlt_load_id)"
                ),
                [
                    {column: row.get(column) for column in names} | {"_row_number": number, "_dlt_load_id": load_id}
                    for number, row in enumerate(rows, start=1)
                ],
            )
    with warehouse.engine().begin() as connection:
        batch_id: int = connection.execute(
            sa.text(
                "insert into ops.batches (source, table_name, load_id, row_count, status, admission_seq) values"
                " (:source, :table, :load_id, :row_count, :status,"
                " case when :status = 'admitted' then nextval('ops.admission_seq') end) returning batch_id"
            ),
            {"source": source, "table": table, "load_id": load_id, "row_count": len(rows), "status": status},
        ).scalar_one()
        for number in quarantined:
            connection.execute(
                sa.text(
                    "insert into ops.quarantine (batch_id, row_id, payload, failed_rules) values (:b, :r, '{}', '{}')"
                ),
                {"b": batch_id, "r": number},
            )
    return batch_id


def land_deletions(warehouse: Warehouse, name: str, *keys: str) -> int:
    """Append a batch that says these keys are gone, as a complete copy of a table does that no longer has them.

    Args:
        name: `source.table`, whose first column is its key.

    Returns:
        The batch's id.
    """
    source, table = name.split(".")
    key = COLUMNS[name].split()[0]
    with warehouse.engine(LOADER).begin() as connection:
        connection.execute(sa.text(f"alter table raw_{source}.{table} add column if not exists _dlt_deleted boolean"))
    batch_id = land(warehouse, name, [{key: value} for value in keys], columns=key)
    with warehouse.engine().begin() as connection:
        connection.execute(
            sa.text(
                f"update raw_{source}.{table} set _dlt_deleted = true from ops.batches"
                " where load_id = _dlt_load_id and batch_id = :batch_id"
            ),
            {"batch_id": batch_id},
        )
    return batch_id


def event(number: int, *, user: int = 7, repository: str = "acme/tools", org: str | None = None, **given: Any) -> Row:
    """An event of the event log as it lies in raw."""
    return {
        "id": str(number),
        "type": "PushEvent",
        "actor": json.dumps({"id": user, "login": f"user{user}"}),
        "repo": json.dumps({"id": 1, "name": repository}),
        "org": json.dumps({"login": org}) if org else None,
        "created_at": "2024-02-03T04:05:06Z",
        "payload": r'{"text": "\u0000"}',
        **given,
    }


def reported(name: str, organization: str = "acme", **given: str | None) -> Row:
    """An event that an application reported as it lies in raw: a user looked at a dashboard."""
    return {
        "organization_id": organization,
        "event_id": name,
        "user_id": "ada@example.com",
        "action": "dashboard_viewed",
        "occurred_at": "2024-02-03 04:05:06+00",
        "dashboard_id": "d1",
        **given,
    }


def account(name: str, **given: str | None) -> Row:
    """An account as it lies in raw."""
    return {
        "account_id": name,
        "account_name": f"{name} Inc",
        "industry": "EdTech",
        "country": "US",
        "signup_date": "01-01-2023",
        "plan_tier": "Pro",
        "seats": "5",
        "is_trial": "FALSE",
        "churn_flag": "FALSE",
        **given,
    }


def subscription(name: str, organization: str = "acme", **given: str | None) -> Row:
    """A subscription as it lies in raw: from January 2024 on, 100 dollars a month."""
    return {
        "subscription_id": name,
        "account_id": organization,
        "start_date": "15-01-2024",
        "end_date": "",
        "plan_tier": "Pro",
        "seats": "5",
        "mrr_amount": "100",
        "arr_amount": "1200",
        **given,
    }


def usage(name: str, subscription_id: str, **given: str | None) -> Row:
    """A usage record as it lies in raw: three uses, half an hour."""
    return {
        "usage_id": name,
        "subscription_id": subscription_id,
        "usage_date": "2024-03-10",
        "feature_name": "search",
        "usage_count": "3",
        "usage_duration_secs": "1800",
        **given,
    }


def ticket(name: str, organization: str = "acme", **given: str | None) -> Row:
    """A support ticket as it lies in raw: answered after ten minutes, not rated."""
    return {
        "ticket_id": name,
        "account_id": organization,
        "submitted_at": "10-03-2024",
        "closed_at": "11-03-2024 03:00",
        "priority": "high",
        "first_response_time_minutes": "10",
        "satisfaction_score": "",
        **given,
    }


def churn_event(name: str, organization: str = "acme", **given: str | None) -> Row:
    """A churn event as it lies in raw: nine and a half dollars paid back."""
    return {
        "churn_event_id": name,
        "account_id": organization,
        "churn_date": "20-03-2024",
        "reason_code": "pricing",
        "refund_amount_usd": "9.50",
        **given,
    }


def invoice(
    name: str, subscription_id: str | None = "s1", organization: str | None = "acme", **given: str | None
) -> Row:
    """An invoice as it lies in raw: 119 dollars of February 2024, paid after ten days."""
    return {
        "invoice_id": name,
        "account_id": organization,
        "subscription_id": subscription_id,
        "issued_date": "15-02-2024",
        "due_date": "16-03-2024",
        "paid_date": "25-02-2024",
        "status": "paid",
        "currency": "USD",
        "subtotal_usd": "100.00",
        "tax_usd": "19.00",
        "total_usd": "119.00",
        **given,
    }


def dashboard(name: str, organization: str | None = "acme", **given: str | None) -> Row:
    """A dashboard as it lies in raw: five widgets, shared."""
    return {
        "dashboard_id": name,
        "account_id": organization,
        "title": "Weekly revenue",
        "created_at": "05-02-2024 09:30",
        "updated_at": "06-03-2024 10:00",
        "created_by": "7",
        "widget_count": "5",
        "is_shared": "TRUE",
        **given,
    }


def opportunity(name: str, organization: str | None = "acme", **given: str | None) -> Row:
    """An opportunity as it lies in raw: 1,200 dollars a year, as likely as not, still open."""
    return {
        "opportunity_id": name,
        "account_id": organization,
        "kind": "expansion",
        "stage": "proposal",
        "amount_usd": "1200",
        "probability": "0.5",
        "created_date": "10-02-2024",
        "closed_date": "",
        "is_won": "FALSE",
        "is_closed": "FALSE",
        "owner": "seller-1",
        **given,
    }


WON: Row = {
    "stage": "closed_won",
    "probability": "1",
    "closed_date": "01-03-2024",
    "is_won": "TRUE",
    "is_closed": "TRUE",
}
LOST: Row = {**WON, "stage": "closed_lost", "probability": "0", "is_won": "FALSE"}


def land_both_sources(warehouse: Warehouse) -> None:
    """A little of everything: two accounts, one of which has left, and three events."""
    land(warehouse, "saas.accounts", [account("acme"), account("globex", country="DE", industry="FinTech")])
    land(
        warehouse,
        "saas.subscriptions",
        [
            subscription("s1"),
            subscription("s2", plan_tier="Basic", mrr_amount="49.90"),
            subscription("s3", "globex", start_date="2023-11-01", end_date="2024-02-10", mrr_amount="1000"),
        ],
    )
    land(warehouse, "saas.feature_usage", [usage("u1", "s1"), usage("u2", "s3", usage_date="2024-01-05")])
    land(warehouse, "saas.support_tickets", [ticket("t1"), ticket("t2", "globex", satisfaction_score="4")])
    land(warehouse, "saas.churn_events", [churn_event("c1", "globex")])
    land(warehouse, "saas.invoices", [invoice("i1"), invoice("i2", "s3", "globex", status="overdue", paid_date="")])
    land(warehouse, "saas.dashboards", [dashboard("d1"), dashboard("d2", "globex")])
    land(warehouse, "saas.opportunities", [opportunity("o1"), opportunity("o2", "globex", **WON)])
    land(warehouse, "github.events", [event(1), event(2, org="globex"), event(3, user=8, repository="octo/cat")])
