"""What is wrong with the demo data, on purpose and in known number."""

# At scale 1: how many rows break which rule of quality's suites. Besides, `unreadable_line` counts lines that are no
# rows at all, and `identical_duplicates` counts repeated rows, which are no defect downstream: one of them stays.
_PLANTED: dict[str, dict[str, dict[str, int]]] = {
    "saas_subscriptions": {
        "accounts": {"signup_date_is_a_date": 1, "identical_duplicates": 1},
        "subscriptions": {"mrr_amount_is_an_amount": 3, "start_date_is_a_date": 1, "end_not_before_start": 1},
        "feature_usage": {
            "unique_usage_id": 10,
            "usage_id_present": 2,
            "usage_count_is_a_count": 3,
            "usage_date_is_a_date": 2,
            "unreadable_line": 2,
            "identical_duplicates": 4,
        },
        "support_tickets": {"first_response_time_minutes_is_an_amount": 2, "satisfaction_score_from_1_to_5": 1},
        "churn_events": {"refund_amount_usd_is_an_amount": 2, "churn_event_id_present": 1},
        "invoices": {
            "invoice_id_present": 1,
            "due_not_before_issued": 1,
            "currency_is_usd": 1,
            "tax_usd_is_an_amount": 2,
            "total_is_subtotal_and_tax": 2,
            "identical_duplicates": 3,
        },
        "dashboards": {
            "dashboard_id_present": 1,
            "updated_not_before_created": 1,
            "widget_count_is_a_count": 2,
            "identical_duplicates": 2,
        },
        "opportunities": {
            "opportunity_id_present": 1,
            "amount_usd_is_an_amount": 2,
            "probability_from_0_to_1": 1,
            "closed_not_before_created": 1,
            "closed_has_its_day": 1,
            "won_is_closed": 1,
        },
    },
    "github_events": {
        "events": {
            "id_present": 3,
            "created_at_is_a_moment": 2,
            "unreadable_line": 6,
            "identical_duplicates": 4,
        },
    },
}


def planted_defects(dataset: str, scale: int) -> dict[str, dict[str, int]]:
    """How many rows of each table break which rule, at that scale.

    Args:
        dataset: `saas_subscriptions` or `github_events`.
        scale: The source's `scale`.

    Returns:
        Table → rule → rows. Every row that breaks a rule breaks exactly one.
    """
    return {table: {rule: count * scale for rule, count in rules.items()} for table, rules in _PLANTED[dataset].items()}
