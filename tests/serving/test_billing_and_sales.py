"""Metrics of invoices and opportunities: what belongs to which day, and what is left out."""

import pytest

from tests.serving.conftest import Asking, Store

ORGANIZATIONS = ("acme", "bolt", "crow")
EXPECTED = {
    "invoiced_usd": 570.0,
    "collected_usd": 319.5,
    "outstanding_usd": 250.5,
    "overdue_usd": 200.5,
    "days_to_pay": 18,
    "won_revenue_usd": 1200,
    "win_rate": 0.5,
    "open_pipeline_usd": 1000,
    "weighted_pipeline_usd": 600,
}


@pytest.fixture(autouse=True)
def _published(store: Store) -> None:
    store.publish()


def test_each_metric_in_all(ask: Asking) -> None:
    assert {name: ask.rows(name)[0][0] for name in EXPECTED} == pytest.approx(EXPECTED)


def test_money_is_told_by_its_own_day(ask: Asking) -> None:
    by_month = {"group_by": ["metric_time"], "grain": "month"}
    assert ask.rows("invoiced_usd", **by_month) == [["2024-01-01", 319.5], ["2024-02-01", 250.5]]
    assert ask.rows("collected_usd", **by_month) == [["2024-02-01", 319.5]]
    assert ask.rows("invoiced_usd", "collected_usd", **by_month) == [
        ["2024-01-01", 319.5, None],
        ["2024-02-01", 250.5, 319.5],
    ]
    assert ask.rows("open_pipeline_usd", **by_month) == [["2024-02-01", 600], ["2024-03-01", 400]]
    assert ask.rows("win_rate", **by_month) == [["2024-02-01", 0.5]]
    assert ask.rows("collected_usd", time_range={"start": "2024-02-06", "end": "2024-12-31"}) == [[200.5]]


def test_it_is_told_by_plan_stage_and_what_the_account_is_now(ask: Asking) -> None:
    assert ask.rows("outstanding_usd", group_by=["plan"]) == [["Basic", 50.0], ["Pro", 200.5]]
    assert ask.rows("open_pipeline_usd", group_by=["stage"]) == [["negotiation", 400], ["proposal", 600]]
    assert ask.rows("open_pipeline_usd", group_by=["current_plan"]) == [["Basic", 400], ["Pro", 600]]
    assert ask.rows("win_rate", group_by=["kind"]) == [["expansion", 0], ["renewal", 1]]
    assert ask.rows("won_revenue_usd", group_by=["country"]) == [["US", 1200]]


def test_the_sum_over_all_organizations_is_the_whole(ask: Asking) -> None:
    for metric in ("invoiced_usd", "collected_usd", "outstanding_usd", "won_revenue_usd", "open_pipeline_usd"):
        parts = [ask.rows(metric, organization=name)[0][0] or 0 for name in ORGANIZATIONS]
        assert sum(parts) == pytest.approx(EXPECTED[metric]), metric
