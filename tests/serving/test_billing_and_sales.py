"""Metrics of invoices and opportunities: what belongs to which day, and what is left out."""

import pytest

from tests.serving.conftest import Asking

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


def test_each_metric_in_all(reader: Asking) -> None:
    assert {name: reader.rows(name)[0][0] for name in EXPECTED} == pytest.approx(EXPECTED)


def test_money_is_told_by_its_own_day(reader: Asking) -> None:
    by_month = {"group_by": ["metric_time"], "grain": "month"}
    assert reader.rows("invoiced_usd", **by_month) == [["2024-01-01", 319.5], ["2024-02-01", 250.5]]
    assert reader.rows("collected_usd", **by_month) == [["2024-02-01", 319.5]]
    assert reader.rows("invoiced_usd", "collected_usd", **by_month) == [
        ["2024-01-01", 319.5, None],
        ["2024-02-01", 250.5, 319.5],
    ]
    assert reader.rows("open_pipeline_usd", **by_month) == [["2024-02-01", 600], ["2024-03-01", 400]]
    assert reader.rows("win_rate", **by_month) == [["2024-02-01", 0.5]]
    assert reader.rows("collected_usd", time_range={"start": "2024-02-06", "end": "2024-12-31"}) == [[200.5]]


def test_it_is_told_by_plan_stage_and_what_the_account_is_now(reader: Asking) -> None:
    assert reader.rows("outstanding_usd", group_by=["plan"]) == [["Basic", 50.0], ["Pro", 200.5]]
    assert reader.rows("open_pipeline_usd", group_by=["stage"]) == [["negotiation", 400], ["proposal", 600]]
    assert reader.rows("open_pipeline_usd", group_by=["current_plan"]) == [["Basic", 400], ["Pro", 600]]
    assert reader.rows("win_rate", group_by=["kind"]) == [["expansion", 0], ["renewal", 1]]
    assert reader.rows("won_revenue_usd", group_by=["country"]) == [["US", 1200]]


def test_the_sum_over_all_organizations_is_the_whole(reader: Asking) -> None:
    for metric in ("invoiced_usd", "collected_usd", "outstanding_usd", "won_revenue_usd", "open_pipeline_usd"):
        parts = [reader.rows(metric, organization=name)[0][0] or 0 for name in ORGANIZATIONS]
        assert sum(parts) == pytest.approx(EXPECTED[metric]), metric
