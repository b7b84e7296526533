"""The views of the schema `metrics` say what the metrics command says, to everybody and to one organization."""

from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from serving.metrics import Metrics, parse_query
from tests.orchestration.conftest import Company
from warehouse.database import Warehouse
from warehouse.settings import Settings

Answer = dict[tuple[str, str], list[float | None]]

TIMES = {"month_start_date": "month", "date_day": "day"}


@pytest.fixture
def database(ran: Company) -> sa.URL:
    """The database of the company that ran."""
    return make_url(ran.environment["DATAINSIGHT_DATABASE_URL"]).set(drivername="postgresql+psycopg2")


def test_views_answer_like_the_metrics_for_everybody_and_for_one_organization(
    ran: Company, settings: Settings, warehouse: Warehouse
) -> None:
    settings = settings.model_copy(update={"home": ran.folder / "home"})
    analyst = ran.json("analysts", "add", "ana")["url"]
    tenant = ran.json("tenants", "add", "A-1")["url"]

    with closing(Metrics(settings, warehouse)) as metrics:
        for view, columns in views(warehouse).items():
            # The event log of this company names its organizations by other ids; whatever they are, both doors agree.
            assert view_rows(analyst, view) == metric_rows(metrics, columns, None), view
            assert view_rows(tenant, view) == metric_rows(metrics, columns, "A-1"), view
    revenue = view_rows(tenant, "revenue_by_month")
    assert {organization for organization, _ in revenue} == {"A-1"}
    assert revenue["A-1", "2024-03-01"][:2] == [100.0, 1200.0]

    # A mart is made anew alone: whoever asks the view goes on doing so, and reads the new mart as himself.
    assert ran("dbt", "build", "--select", "fact_subscriptions", "fact_organization_months").returncode == 0
    assert view_rows(tenant, "revenue_by_month") == revenue
    assert view_rows(analyst, "revenue_by_month").keys() > revenue.keys()

    with warehouse.engine().connect() as connection:
        uncommented = sa.text(
            "select relname, attname from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0"
            " where relnamespace = 'metrics'::regnamespace and col_description(attrelid, attnum) is null"
        )
        assert connection.execute(uncommented).all() == []


def views(warehouse: Warehouse) -> dict[str, list[str]]:
    """The columns of each saved query, in their order."""
    with warehouse.engine().connect() as connection:
        rows = connection.execute(
            sa.text(
                "select table_name, array_agg(cast(column_name as text) order by ordinal_position)"
                " from information_schema.columns where table_schema = 'metrics' group by 1"
            )
        ).all()
    assert len(rows) > 4
    return {row[0]: list(row[1]) for row in rows}


def view_rows(url: str, view: str) -> Answer:
    """All that one login reads in a view."""
    engine = sa.create_engine(make_url(url).set(drivername="postgresql+psycopg2"))
    with engine.connect() as connection:
        rows = connection.execute(sa.text(f"select * from metrics.{view}")).all()
    engine.dispose()
    return _answer(rows)


def metric_rows(metrics: Metrics, columns: list[str], organization: str | None) -> Answer:
    """What the published metrics answer to the same question."""
    identifier, time, *names = columns
    asked = {"metrics": names, "group_by": [identifier, "metric_time"], "grain": TIMES[time]}
    return _answer(metrics.query(parse_query(asked), organization).to_dict()["rows"])


def _answer(rows: Any) -> Answer:
    # PostgreSQL counts means in decimals, the metric store in doubles.
    return {
        (organization, str(time)[:10]): [None if value is None else round(float(value), 9) for value in values]
        for organization, time, *values in rows
    }
