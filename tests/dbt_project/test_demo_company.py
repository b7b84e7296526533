"""What the demo company's files add up to, computed straight from them in DuckDB, is what the star says."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from connectors.config import load_sources
from connectors.demo.defects import planted_defects
from connectors.landing.land import land
from quality.validate import validate_landed
from tests.dbt_project.project import Star

# For each mart: its file, what a row must be to count, and what is added up: in the star, and in the file.
# Rows that are repeated whole count once.
MARTS = {
    "fact_subscriptions": (
        "subscriptions",
        "amount(mrr_amount) >= 0 and day(start_date) <= coalesce(day(end_date), '9999-12-31')",
        {"mrr_usd": "amount(mrr_amount)", "seats": "amount(seats)"},
    ),
    "fact_support_tickets": (
        "support_tickets",
        "amount(first_response_time_minutes) >= 0 and coalesce(amount(satisfaction_score), 1) <= 5",
        {
            "first_response_minutes": "amount(first_response_time_minutes)",
            "satisfaction_score": "amount(satisfaction_score)",
        },
    ),
    "fact_churn_events": (
        "churn_events",
        "churn_event_id is not null and amount(refund_amount_usd) >= 0",
        {"refund_usd": "amount(refund_amount_usd)"},
    ),
    "fact_invoices": (
        "invoices",
        "invoice_id is not null and currency = 'USD' and day(due_date) >= day(issued_date)"
        " and amount(total_usd) = amount(subtotal_usd) + amount(tax_usd)",
        {
            "subtotal_usd": "amount(subtotal_usd)",
            "total_usd": "amount(total_usd)",
            "case when status = 'paid' then total_usd end": "if(paid_date is not null, amount(total_usd), null)",
        },
    ),
    "fact_opportunities": (
        "opportunities",
        "opportunity_id is not null and amount(amount_usd) >= 0 and amount(probability) <= 1 and is_won <= is_closed"
        " and if(is_closed = 'TRUE', day(closed_date) >= day(created_date), closed_date is null)",
        {
            "case when is_won then amount_usd end": "if(stage = 'closed_won', amount(amount_usd), null)",
            "case when not is_closed then amount_usd * probability end": "if(closed_date is null,"
            " amount(amount_usd) * amount(probability), null)",
        },
    ),
    "dim_dashboards": (
        "dashboards",
        "dashboard_id is not null and amount(widget_count) % 1 = 0 and moment(updated_at) >= moment(created_at)",
        {"widget_count": "amount(widget_count)"},
    ),
}


@pytest.fixture
def files(star: Star, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The demo company's files as views in DuckDB; they were landed, judged and built."""
    path = tmp_path / "sources.yaml"
    path.write_text("sources: {saas: {kind: demo, dataset: saas_subscriptions}}\n")
    [source] = load_sources(path, tmp_path / "home")
    land(source, star.warehouse, tmp_path / "home")
    validate_landed(star.warehouse, "saas")
    star.build("--select", *(f"+{mart}" for mart in MARTS))
    with duckdb.connect() as connection:
        connection.execute("create macro amount(written) as try_cast(written as decimal(18, 2))")
        connection.execute("create macro moment(written) as try_strptime(written, '%d-%m-%Y %H:%M')")
        connection.execute("create macro day(written) as cast(try_strptime(written, '%d-%m-%Y') as date)")
        for table, _, _ in MARTS.values():
            read = f"read_csv('{tmp_path}/home/demo/saas/{table}.csv', all_varchar = true, nullstr = '')"
            connection.execute(f"create view {table} as select * from {read}")
        yield connection


def test_the_star_adds_up_to_the_files(star: Star, files: duckdb.DuckDBPyConnection) -> None:
    planted = planted_defects("saas_subscriptions", 1)
    for mart, (table, is_sound, sums) in MARTS.items():
        there = star.rows(f"select count(*), {', '.join(f'sum({value})' for value in sums)} from marts.{mart}")

        assert files.execute(f"select count(*) - {sum(planted[table].values())} from {table}").fetchall() == [
            (there[0][0],)
        ], mart
        added = ", ".join(f"sum({value})" for value in sums.values())
        sound = f"(select distinct * from {table} where {is_sound})"
        assert files.execute(f"select count(*), {added} from {sound}").fetchall() == there, mart
