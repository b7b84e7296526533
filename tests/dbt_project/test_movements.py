"""Movements of recurring revenue: each kind of them from subscriptions that were landed, and a bridge that holds."""

from datetime import date
from decimal import Decimal
from typing import Any

from tests.dbt_project.landings import account, land, subscription, usage
from tests.dbt_project.project import Star

MOVEMENTS = (
    "select month_start_date, movement_type, opening_mrr_usd, movement_usd, closing_mrr_usd"
    " from marts.fact_mrr_movements where organization_id = '{}' order by 1"
)


def _movement(month: int, kind: str, *amounts: str) -> tuple[Any, ...]:
    return date(2024, month, 1), kind, *map(Decimal, amounts)


def test_movements_follow_subscriptions_and_bridge_each_month_to_the_next(star: Star) -> None:
    land(star.warehouse, "saas.accounts", [account("acme"), account("globex")])
    land(
        star.warehouse,
        "saas.subscriptions",
        [
            # A trial, then a paid plan beside a second one; both end, and a year is not over before it comes back.
            subscription("s1", start_date="2024-01-05", end_date="2024-02-10", mrr_amount="0"),
            subscription("s2", start_date="2024-02-10", end_date="2024-05-01", mrr_amount="100.10"),
            subscription("s3", start_date="2024-03-31", end_date="2024-04-30", plan_tier="Basic", mrr_amount="49.95"),
            subscription("s4", start_date="2024-07-01", mrr_amount="20"),
            # Within one month: at no month's end, so no movement.
            subscription("s5", "globex", start_date="2024-02-02", end_date="2024-02-20", mrr_amount="1000"),
        ],
    )
    land(star.warehouse, "saas.feature_usage", [usage("u1", "s4", usage_date="2024-08-15")])

    bridge = "assert_mrr_movements_bridge_every_month"
    assert star.build("--select", "+fact_mrr_movements", bridge)[bridge] == "pass"

    assert star.rows(MOVEMENTS.format("acme")) == [
        _movement(2, "new", "0", "100.10", "100.10"),
        _movement(3, "expansion", "100.10", "49.95", "150.05"),
        _movement(4, "contraction", "150.05", "-49.95", "100.10"),
        _movement(5, "churn", "100.10", "-100.10", "0"),
        _movement(7, "reactivation", "0", "20", "20"),
    ]
    assert star.rows(MOVEMENTS.format("globex")) == []

    for broken in (
        "update marts.fact_mrr_movements set movement_usd = movement_usd + 0.01 where movement_type = 'churn'",
        "delete from marts.fact_mrr_movements where movement_type = 'expansion'",
        "update marts.fact_mrr_movements set opening_mrr_usd = 0.01 where movement_type = 'new'",
        "update marts.fact_mrr_movements set organization_id = 'nobody' where movement_type = 'reactivation'",
    ):
        star.execute("create table kept as table marts.fact_mrr_movements", broken)
        assert star.project.run("test", "--select", bridge)[bridge] == "fail", broken
        star.execute(
            "truncate marts.fact_mrr_movements", "insert into marts.fact_mrr_movements table kept", "drop table kept"
        )
