"""The star of all real data: each fact's totals are those that DuckDB finds in the files themselves."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa

from tests.conftest import NewDatabase
from tests.support import Platform

# The files as DuckDB reads them, in no way through the platform. Rows of one usage id that differ are set aside.
FILES = """
    create view subscriptions as
    select
        * exclude (start_date, end_date), strptime(start_date, '%d-%m-%Y')::date as start_date,
        strptime(end_date, '%d-%m-%Y')::date as end_date
    from read_csv('{data}/saas_subscriptions/ravenstack_subscriptions.csv', all_varchar = true);

    create view tickets as
    from read_csv('{data}/saas_subscriptions/ravenstack_supports_ticket.csv', all_varchar = true);

    create view churn_events as
    from read_csv('{data}/saas_subscriptions/ravenstack_churn_events.csv', all_varchar = true);

    create view usage as
    with stated as (
        select distinct * from read_csv('{data}/saas_subscriptions/ravenstack_feature_usage.csv', all_varchar = true)
    )
    from stated where usage_id in (select usage_id from stated group by 1 having count(*) = 1);

    create view days as
    select start_date as said from subscriptions
    union select strptime(usage_date, '%d-%m-%Y') from usage
    union select strptime(left(submitted_at, 10), '%d-%m-%Y') from tickets
    union select strptime(churn_date, '%d-%m-%Y') from churn_events;

    create view months as
    select unnest(generate_series(
        (select date_trunc('month', min(start_date)) from subscriptions), (select max(said) from days), interval 1 month
    ))::date as month;

    create view subscription_months as
    select subscriptions.*, month, mrr_amount::decimal(18, 2) as mrr
    from subscriptions inner join months
    on start_date <= last_day(month) and (end_date is null or end_date > last_day(month));

    create view organization_mrr as
    select account_id, months.month, coalesce(sum(mrr), 0) as mrr
    from (select distinct account_id from subscriptions) cross join months
    left join subscription_months using (account_id, month)
    group by all;

    create view movements as
    select
        account_id, month, mrr - before as movement,
        case
            when before = 0 and had then 'reactivation' when before = 0 then 'new' when mrr = 0 then 'churn'
            when movement > 0 then 'expansion' else 'contraction'
        end as kind
    from (
        select
            *, coalesce(lag(mrr) over by_month, 0) as before,
            coalesce(max(mrr) over (by_month rows between unbounded preceding and 1 preceding), 0) > 0 as had
        from organization_mrr window by_month as (partition by account_id order by month)
    )
    where mrr <> before;

    create view actions as
    select
        coalesce(json_extract_string(org, '$.login'), split_part(json_extract_string(repo, '$.name'), '/', 1)) as org,
        json_extract_string(actor, '$.id') as actor, created_at::timestamp as acted_at
    from read_json(
        '{data}/github_events/*.jsonl.gz', format = 'newline_delimited',
        columns = {{id: 'varchar', org: 'json', repo: 'json', actor: 'json', created_at: 'varchar'}}
    );

    create view sessions as
    select
        coalesce(acted_at > lag(acted_at) over (partition by org, actor order by acted_at) + interval 30 minutes, true)
        as begins
    from actions;

    create view lines as
    select
        * exclude (Quantity), Quantity::bigint as quantity, UnitPrice::decimal(18, 4) as price,
        CustomerID::double::bigint as customer
    from read_csv('{data}/online_retail/*.csv', all_varchar = true);
"""

# What the star says, beside what the files say.
TOTALS = {
    "fact_subscriptions": (
        "select count(*), sum(mrr_usd), count(distinct organization_id) from marts.fact_subscriptions",
        "select count(*), sum(mrr_amount::decimal(18, 2)), count(distinct account_id) from subscriptions",
    ),
    "fact_feature_usage": (
        "select count(*), sum(usage_count), sum(usage_duration_seconds), sum(error_count)"
        " from marts.fact_feature_usage",
        "select count(*), sum(usage_count::int), sum(usage_duration_secs::decimal(18, 2)), sum(error_count::int)"
        " from usage",
    ),
    "fact_support_tickets": (
        "select count(*), sum(first_response_minutes), sum(satisfaction_score) from marts.fact_support_tickets",
        "select count(*), sum(first_response_time_minutes::decimal(18, 2)), sum(satisfaction_score::decimal(18, 2))"
        " from tickets",
    ),
    "fact_churn_events": (
        "select count(*), sum(refund_usd) from marts.fact_churn_events",
        "select count(*), sum(refund_amount_usd::decimal(18, 2)) from churn_events",
    ),
    "fact_subscription_months": (
        "select month_start_date, count(*), sum(mrr_usd) from marts.fact_subscription_months group by 1 order by 1",
        "select month, count(*), sum(mrr) from subscription_months group by 1 order by 1",
    ),
    "fact_organization_months": (
        "select month_start_date, sum(active_subscriptions), sum(mrr_usd), sum(seats)"
        " from marts.fact_organization_months group by 1 order by 1",
        "select month, count(*), sum(mrr), sum(seats::int) from subscription_months group by 1 order by 1",
    ),
    "fact_mrr_movements": (
        "select organization_id, month_start_date, movement_type, movement_usd"
        " from marts.fact_mrr_movements order by 1, 2",
        "select account_id, month, kind, movement from movements order by 1, 2",
    ),
    "fact_user_actions": (
        "select count(*), count(distinct organization_id), count(distinct user_id) from marts.fact_user_actions",
        "select count(*), count(distinct org), count(distinct actor) from actions",
    ),
    "fact_sessions": (
        "select count(*), sum(action_count) from marts.fact_sessions",
        "select count(*) filter (where begins), count(*) from sessions",
    ),
    "fact_invoice_lines": (
        "select count(*), sum(amount_gbp), sum(quantity), count(*) filter (where is_cancellation),"
        " count(distinct invoice_id), count(distinct product_id), count(distinct nullif(customer_id, '(unknown)'))"
        " from marts.fact_invoice_lines",
        "select count(*), sum(quantity * price), sum(quantity), count(*) filter (where InvoiceNo like 'C%'),"
        " count(distinct InvoiceNo), count(distinct StockCode), count(distinct customer) from lines",
    ),
}


@pytest.fixture(scope="module")
def totals(server_url: sa.URL, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the star says of each of `TOTALS`, and what the files say."""
    folder = tmp_path_factory.mktemp("star")
    with NewDatabase(server_url) as name:
        url = server_url.set(database=name)
        platform = Platform(
            folder,
            {
                "DATAINSIGHT_DATABASE_URL": url.set(drivername="postgresql").render_as_string(hide_password=False),
                "DATAINSIGHT_HOME": str(folder / "home"),
                "DATAINSIGHT_SOURCES": str(Path(__file__).with_name("star_sources.yaml")),
                "SHARED_DATA": str(shared_data),
            },
        )
        ran = platform.run()
        files = duckdb.connect()
        files.execute(FILES.format(data=shared_data))
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            said = {
                fact: ([tuple(row) for row in connection.execute(sa.text(star))], files.execute(expected).fetchall())
                for fact, (star, expected) in TOTALS.items()
            }
        engine.dispose()
        yield {"run": ran, **said}


def test_every_row_is_landed_and_only_conflicting_ones_are_set_aside(totals: dict[str, Any]) -> None:
    run = totals["run"]
    assert run["rows_landed"] == 33_100 + 15_129 + 209_029
    assert run["rows_quarantined"] == 42
    assert run["checks"]["failed"] == 0


@pytest.mark.parametrize("fact", TOTALS)
def test_totals_are_those_of_the_files(totals: dict[str, Any], fact: str) -> None:
    star, files = totals[fact]
    assert star == files


def test_the_revenue_of_the_shop_is_exact(totals: dict[str, Any]) -> None:
    ((lines, revenue, *_),) = totals["fact_invoice_lines"][0]
    assert (lines, revenue) == (209_029, Decimal("3706827.641"))
