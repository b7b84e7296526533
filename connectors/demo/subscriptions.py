"""The tables of `saas_subscriptions`: their columns, and the rows of each with the planted defects among them."""

from collections.abc import Iterator

from connectors.demo.billing import Invoices, Subscriptions
from connectors.demo.company import accounts, spread
from connectors.demo.customers import Accounts, ChurnEvents, SupportTickets
from connectors.demo.defects import planted_defects
from connectors.demo.fields import Row, Table
from connectors.demo.product import Dashboards, FeatureUsage
from connectors.demo.sales import Opportunities

HEADERS = {
    "accounts": "account_id,account_name,industry,country,signup_date,referral_source,plan_tier,seats,is_trial,"
    "churn_flag",
    "subscriptions": "subscription_id,account_id,start_date,end_date,plan_tier,seats,mrr_amount,arr_amount,is_trial,"
    "upgrade_flag,downgrade_flag,churn_flag,billing_frequency,auto_renew_flag",
    "feature_usage": "usage_id,subscription_id,usage_date,feature_name,usage_count,usage_duration_secs,error_count,"
    "is_beta_feature",
    "support_tickets": "ticket_id,account_id,submitted_at,closed_at,resolution_time_hours,priority,"
    "first_response_time_minutes,satisfaction_score,escalation_flag",
    "churn_events": "churn_event_id,account_id,churn_date,reason_code,refund_amount_usd,preceding_upgrade_flag,"
    "preceding_downgrade_flag,is_reactivation,feedback_text",
    "invoices": "invoice_id,account_id,subscription_id,issued_date,due_date,paid_date,status,currency,subtotal_usd,"
    "tax_usd,total_usd",
    "dashboards": "dashboard_id,account_id,title,created_at,updated_at,created_by,widget_count,is_shared",
    "opportunities": "opportunity_id,account_id,kind,stage,amount_usd,probability,created_date,closed_date,is_won,"
    "is_closed,owner",
}


class SubscriptionCompany:
    """Makes the rows of each table; the same for the same scale and seed."""

    def __init__(self, scale: int, seed: int) -> None:
        customers = accounts(scale, seed)
        subscriptions = Subscriptions(scale, seed, customers)
        self._planted = planted_defects("saas_subscriptions", scale)
        self._tables: dict[str, Table] = {
            "accounts": Accounts(seed, customers),
            "subscriptions": subscriptions,
            "feature_usage": FeatureUsage(scale, seed, subscriptions),
            "support_tickets": SupportTickets(scale, seed, customers),
            "churn_events": ChurnEvents(scale, seed, customers),
            "invoices": Invoices(seed, subscriptions),
            "dashboards": Dashboards(scale, seed, customers),
            "opportunities": Opportunities(scale, seed, customers),
        }

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of `table`, defects among them, fields as text."""
        made = self._tables[table]
        yield from spread(made.clean(), made.count, list(made.defective(self._planted[table])))
