"""The suites of the repository: each is loadable, says who owns what and why, and catches what it promises."""

from typing import Any

import pytest

from quality.suite import SUITES_FOLDER, Suite, load_suite
from tests.quality.conftest import Room

PATHS = sorted(SUITES_FOLDER.glob("*/*.yaml"))
TABLES = [(path.parent.name, path.stem) for path in PATHS]
# The same row twice is two of them.
WITHOUT_A_KEY = {("online_retail", "invoice_lines")}
# Rows of many organizations, none of which may have those of the others refused.
OF_MANY = {("platform", "events")}


def suite_of(source: str, table: str) -> Suite:
    suite = load_suite(source, table)
    assert suite is not None
    return suite


def test_every_file_of_the_folder_is_a_suite_where_it_is_looked_for() -> None:
    assert [path for path in SUITES_FOLDER.rglob("*") if path.is_file() and path not in PATHS] == []
    assert {("saas", "accounts"), ("saas", "subscriptions"), ("saas", "feature_usage"), ("saas", "support_tickets"),
            ("saas", "churn_events"), ("saas", "invoices"), ("saas", "dashboards"), ("saas", "opportunities"),
            ("github", "events"), ("platform", "events")} <= set(TABLES)  # fmt: skip


@pytest.mark.parametrize(("source", "table"), TABLES)
def test_every_rule_says_what_it_means_and_whose_it_is(source: str, table: str) -> None:
    suite = suite_of(source, table)
    assert suite.description.endswith(".")
    for rule in suite.expectations:
        assert rule.description.endswith((".", "?")), rule.name
        assert rule.owner
        for threshold in (rule.tolerance, rule.share_of_broken_rows):
            assert threshold is None or (threshold.since and threshold.reason.endswith("."))


@pytest.mark.parametrize(("source", "table"), TABLES)
def test_every_suite_guards_its_key_and_refuses_a_wrong_export(source: str, table: str) -> None:
    kinds = {rule.kind: rule for rule in suite_of(source, table).expectations}
    assert (source, table) in WITHOUT_A_KEY or kinds["unique"].severity == "row"
    assert kinds["share_of_broken_rows"].severity == ("warn" if (source, table) in OF_MANY else "batch")
    assert kinds["rows_at_least"].severity == "warn"


GOOD: dict[str, dict[str, str]] = {
    "saas.accounts": {
        "account_id": "A-1", "account_name": "Acme", "industry": "EdTech", "country": "US", "signup_date": "16-10-2024",
        "referral_source": "partner", "plan_tier": "Basic", "seats": "9", "is_trial": "FALSE", "churn_flag": "FALSE",
    },
    "saas.subscriptions": {
        "subscription_id": "S-1", "account_id": "A-1", "start_date": "23-12-2023", "end_date": "", "plan_tier": "Pro",
        "seats": "14", "mrr_amount": "2786", "arr_amount": "33432", "is_trial": "FALSE", "upgrade_flag": "FALSE",
        "downgrade_flag": "FALSE", "churn_flag": "TRUE", "billing_frequency": "monthly", "auto_renew_flag": "TRUE",
    },
    "saas.feature_usage": {
        "usage_id": "U-1", "subscription_id": "S-1", "usage_date": "27-07-2023", "feature_name": "feature_20",
        "usage_count": "9", "usage_duration_secs": "5004", "error_count": "0", "is_beta_feature": "FALSE",
    },
    "saas.support_tickets": {
        "ticket_id": "T-1", "account_id": "A-1", "submitted_at": "27-07-2023", "closed_at": "28-07-2023 03:00",
        "resolution_time_hours": "27", "priority": "high", "first_response_time_minutes": "74",
        "satisfaction_score": "", "escalation_flag": "FALSE",
    },
    "saas.churn_events": {
        "churn_event_id": "C-1", "account_id": "A-1", "churn_date": "27-10-2024", "reason_code": "pricing",
        "refund_amount_usd": "4.03", "preceding_upgrade_flag": "FALSE", "preceding_downgrade_flag": "FALSE",
        "is_reactivation": "FALSE", "feedback_text": "",
    },
    "saas.invoices": {
        "invoice_id": "I-1", "account_id": "A-1", "subscription_id": "S-1", "issued_date": "23-12-2023",
        "due_date": "22-01-2024", "paid_date": "10-01-2024", "status": "paid", "currency": "USD",
        "subtotal_usd": "2786.00", "tax_usd": "529.34", "total_usd": "3315.34",
    },
    "saas.dashboards": {
        "dashboard_id": "D-1", "account_id": "A-1", "title": "Weekly revenue", "created_at": "27-07-2023 09:30",
        "updated_at": "27-07-2023 09:30", "created_by": "51395738", "widget_count": "5", "is_shared": "TRUE",
    },
    "saas.opportunities": {
        "opportunity_id": "O-1", "account_id": "A-1", "kind": "renewal", "stage": "closed_won", "amount_usd": "7296",
        "probability": "1", "created_date": "27-07-2023", "closed_date": "27-10-2023", "is_won": "TRUE",
        "is_closed": "TRUE", "owner": "seller-2",
    },
    "github.events": {
        "id": "1", "type": "PushEvent", "actor": '{"id": 1, "login": "ada"}', "repo": '{"id": 1, "name": "ada/x"}',
        "payload": "{}", "public": "true", "created_at": "2015-01-01T00:00:00Z", "org": '{"login": "acme"}',
    },
    "platform.events": {
        "organization_id": "acme", "event_id": "e-1", "user_id": "u-1", "action": "dashboard_viewed",
        "occurred_at": "2026-01-31 18:00:00+00", "received_at": "2026-01-31 18:00:01.25+00", "received_seq": "1",
        "dashboard_id": "d-1", "feature": "", "object": "", "properties": "{}",
    },
}  # fmt: skip

# Per table: column, value, the rule that must catch it.
BAD: dict[str, list[tuple[str, str, str]]] = {
    "saas.accounts": [
        ("account_id", " ", "account_id_present"),
        ("signup_date", "31-02-2024", "signup_date_is_a_date"),
        ("signup_date", "01-01-0202", "signup_date_is_a_date"),
        ("seats", "-1", "seats_is_a_count"),
        ("seats", "1.5", "seats_is_a_count"),
        ("is_trial", "perhaps", "is_trial_is_yes_or_no"),
    ],
    "saas.subscriptions": [
        ("subscription_id", "", "subscription_id_present"),
        ("account_id", "", "account_id_present"),
        ("start_date", "", "start_date_present"),
        ("start_date", "2023-13-01", "start_date_is_a_date"),
        ("end_date", "never", "end_date_is_a_date"),
        ("end_date", "22-12-2023", "end_not_before_start"),
        ("mrr_amount", "", "mrr_amount_present"),
        ("mrr_amount", "2,786", "mrr_amount_is_an_amount"),
        ("mrr_amount", "-1", "mrr_amount_is_an_amount"),
        ("arr_amount", "NaN", "arr_amount_is_an_amount"),
        ("churn_flag", "2", "churn_flag_is_yes_or_no"),
    ],
    "saas.feature_usage": [
        ("usage_id", "", "usage_id_present"),
        ("subscription_id", "", "subscription_id_present"),
        ("feature_name", "", "feature_name_present"),
        ("usage_date", "", "usage_date_present"),
        ("usage_date", "30-02-2024", "usage_date_is_a_date"),
        ("usage_count", "many", "usage_count_is_a_count"),
        ("usage_duration_secs", "-5", "usage_duration_secs_is_an_amount"),
        ("error_count", "0.5", "error_count_is_a_count"),
        ("is_beta_feature", "?", "is_beta_feature_is_yes_or_no"),
    ],
    "saas.support_tickets": [
        ("ticket_id", "", "ticket_id_present"),
        ("account_id", "", "account_id_present"),
        ("submitted_at", "", "submitted_at_present"),
        ("submitted_at", "27-07-2023 25:00", "submitted_at_is_a_moment"),
        ("closed_at", "26-07-2023 23:59", "closed_not_before_submitted"),
        ("closed_at", "soon", "closed_at_is_a_moment"),
        ("resolution_time_hours", "-1", "resolution_time_hours_is_an_amount"),
        ("first_response_time_minutes", "x", "first_response_time_minutes_is_an_amount"),
        ("satisfaction_score", "0", "satisfaction_score_from_1_to_5"),
        ("satisfaction_score", "6", "satisfaction_score_from_1_to_5"),
        ("satisfaction_score", "4.5", "satisfaction_score_from_1_to_5"),
        ("escalation_flag", "maybe", "escalation_flag_is_yes_or_no"),
    ],
    "saas.churn_events": [
        ("churn_event_id", "", "churn_event_id_present"),
        ("account_id", "", "account_id_present"),
        ("churn_date", "", "churn_date_present"),
        ("churn_date", "2024-02-30", "churn_date_is_a_date"),
        ("refund_amount_usd", "-0.01", "refund_amount_usd_is_an_amount"),
        ("is_reactivation", "x", "is_reactivation_is_yes_or_no"),
    ],
    "saas.invoices": [
        ("invoice_id", "", "invoice_id_present"),
        ("account_id", "", "account_id_present"),
        ("issued_date", "", "issued_date_present"),
        ("issued_date", "31-11-2023", "issued_date_is_a_date"),
        ("due_date", "soon", "due_date_is_a_date"),
        ("due_date", "22-12-2023", "due_not_before_issued"),
        ("paid_date", "yesterday", "paid_date_is_a_date"),
        ("paid_date", " ", "paid_has_its_day"),
        ("status", "", "status_present"),
        ("currency", "EUR", "currency_is_usd"),
        ("subtotal_usd", "2,786", "subtotal_usd_is_an_amount"),
        ("tax_usd", "19 %", "tax_usd_is_an_amount"),
        ("total_usd", "", "total_usd_present"),
        ("total_usd", "n/a", "total_usd_is_an_amount"),
        ("total_usd", "3315.33", "total_is_subtotal_and_tax"),
    ],
    "saas.dashboards": [
        ("dashboard_id", "", "dashboard_id_present"),
        ("account_id", "", "account_id_present"),
        ("created_at", "", "created_at_present"),
        ("created_at", "27-07-2023 25:00", "created_at_is_a_moment"),
        ("updated_at", "now", "updated_at_is_a_moment"),
        ("updated_at", "27-07-2023 09:29", "updated_not_before_created"),
        ("widget_count", "2.5", "widget_count_is_a_count"),
        ("is_shared", "maybe", "is_shared_is_yes_or_no"),
    ],
    "saas.opportunities": [
        ("opportunity_id", "", "opportunity_id_present"),
        ("account_id", "", "account_id_present"),
        ("amount_usd", "", "amount_usd_present"),
        ("amount_usd", "-1", "amount_usd_is_an_amount"),
        ("probability", "75", "probability_from_0_to_1"),
        ("created_date", "", "created_date_present"),
        ("created_date", "27-13-2023", "created_date_is_a_date"),
        ("closed_date", "never", "closed_date_is_a_date"),
        ("closed_date", "26-07-2023", "closed_not_before_created"),
        ("closed_date", "", "closed_has_its_day"),
        ("is_closed", "", "is_closed_present"),
        ("is_closed", "perhaps", "is_closed_is_yes_or_no"),
        ("is_closed", "FALSE", "won_is_closed"),
        ("is_won", "perhaps", "is_won_is_yes_or_no"),
    ],
    "github.events": [
        ("id", "", "id_present"),
        ("type", "", "type_present"),
        ("actor", "", "actor_present"),
        ("actor", "ada", "actor_has_a_login"),
        ("actor", '{"id": 1}', "actor_has_a_login"),
        ("repo", "", "repo_present"),
        ("repo", '{"id": 1}', "repo_has_a_name"),
        ("org", "{}", "org_has_a_login"),
        ("created_at", "", "created_at_present"),
        ("created_at", "2015-02-29T00:00:00Z", "created_at_is_a_moment"),
        ("public", "x", "public_is_yes_or_no"),
    ],
    "platform.events": [
        ("organization_id", "", "organization_id_present"),
        ("event_id", "", "event_id_present"),
        ("user_id", "", "user_id_present"),
        ("action", "", "action_present"),
        ("occurred_at", "", "occurred_at_present"),
        ("occurred_at", "1989-12-31T23:59:59Z", "occurred_at_is_a_moment"),
        ("occurred_at", "2026-02-01T18:00:02Z", "occurred_before_it_was_received"),
        ("properties", "none", "properties_are_a_document"),
    ],
}

# Per table: column, value, the rule that must report it and leave the row. Several columns that have to fit each other
# are joined by a plus, and so are their values.
NEWS: dict[str, list[tuple[str, str, str]]] = {
    "saas.accounts": [
        ("account_name", "", "account_name_present"),
        ("plan_tier", "Gold", "known_plan"),
        ("industry", "Farming", "known_industry"),
        ("country", "PT", "known_country"),
    ],
    "saas.subscriptions": [
        ("plan_tier", "Gold", "known_plan"),
        ("billing_frequency", "weekly", "known_billing_frequency"),
        ("mrr_amount", "2786.005", "mrr_amount_has_two_decimals"),
        ("arr_amount", "1e-3", "arr_amount_has_two_decimals"),
    ],
    "saas.feature_usage": [],
    "saas.support_tickets": [("priority", "whenever", "known_priority")],
    "saas.churn_events": [
        ("reason_code", "boredom", "known_reason"),
        ("refund_amount_usd", "4.031", "refund_amount_usd_has_two_decimals"),
    ],
    "saas.invoices": [
        ("status", "disputed", "known_status"),
        ("subscription_id", "", "subscription_id_present"),
        ("subtotal_usd+total_usd", "2786.005+3315.345", "subtotal_usd_has_two_decimals"),
        ("tax_usd+total_usd", "529.345+3315.345", "tax_usd_has_two_decimals"),
        ("total_usd+tax_usd", "3315.345+529.345", "total_usd_has_two_decimals"),
    ],
    "platform.events": [],
    "saas.dashboards": [("title", "", "title_present")],
    "saas.opportunities": [
        ("kind", "upsell", "known_kind"),
        ("stage", "demo", "known_stage"),
        ("amount_usd", "7296.001", "amount_usd_has_two_decimals"),
        ("probability", "0.0869565217", "probability_has_six_decimals"),
    ],
    "github.events": [("type", "NapEvent", "known_action_type")],
}


@pytest.mark.parametrize("name", sorted(GOOD))
def test_every_suite_catches_what_it_promises_and_nothing_else(room: Room, name: str) -> None:
    source, table = name.split(".")
    suite = suite_of(source, table)
    good = GOOD[name]
    assert set(good) == set(suite.columns)
    keys = next(rule.unique for rule in suite.expectations if rule.unique)
    key, unique = keys[-1], f"unique_{'_'.join(keys)}"
    changed = [*NEWS[name], *BAD[name]]
    rows: list[dict[str, Any]] = [{**good, key: f"k{n}"} for n in range(2 * len(changed) + 2)]
    rows += [
        {**good, key: f"c{n}", **dict(zip(columns.split("+"), values.split("+"), strict=True))}
        for n, (columns, values, _) in enumerate(changed)
    ]
    conflict = {**good, key: "same"}
    rows += [
        conflict,
        {**conflict, "actor": '{"login": "eve"}'}
        if source == "github"
        else {**conflict, next(column for column in good if column not in keys): "x"},
    ]

    room.suites = SUITES_FOLDER
    batch = room.land(table, rows, source=source, key=keys)
    room.judge()

    first = len(rows) - 2 - len(BAD[name])
    expected = {first + n: [rule] for n, (_, _, rule) in enumerate(BAD[name], start=1)}
    expected |= {len(rows) - 1: [unique], len(rows): [unique]}
    assert room.quarantine(batch) == expected
    assert room.batch(batch).status == "admitted"
    checks = room.checks(batch)
    assert {check["name"] for check in checks.values() if check["status"] == "warned"} == {n for *_, n in NEWS[name]}
    promised = {rule.name for rule in suite.expectations if rule.is_about_rows or rule.unique}
    untested = promised - {rule for *_, rule in changed} - {unique}
    same_kind = {rule for rule in untested if rule.endswith("_is_yes_or_no") or rule == "seats_is_a_count"}
    assert untested == same_kind
