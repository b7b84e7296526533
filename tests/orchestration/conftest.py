"""A small company in files, and the platform over it."""

import gzip
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support import Platform

ACCOUNTS = """account_id,account_name,industry,country,signup_date,referral_source,plan_tier,seats,is_trial,churn_flag
A-1,One,FinTech,US,01-01-2024,ads,Pro,5,FALSE,FALSE
A-2,Two,EdTech,DE,15-01-2024,event,Basic,2,FALSE,FALSE
"""
SUBSCRIPTIONS = """subscription_id,account_id,start_date,end_date,plan_tier,seats,mrr_amount,arr_amount,is_trial,upgrade_flag,downgrade_flag,churn_flag,billing_frequency,auto_renew_flag
S-1,A-1,01-01-2024,,Pro,5,100,1200,FALSE,FALSE,FALSE,FALSE,monthly,TRUE
S-2,A-2,15-01-2024,10-03-2024,Basic,2,40,480,FALSE,FALSE,FALSE,TRUE,monthly,FALSE
"""  # noqa: E501 - a header is one line.
USAGE = """usage_id,subscription_id,usage_date,feature_name,usage_count,usage_duration_secs,error_count,is_beta_feature
U-1,S-1,02-01-2024,export,3,3600,0,FALSE
U-2,S-2,20-03-2024,search,4,1800,0,FALSE
"""
TICKETS = """ticket_id,account_id,submitted_at,closed_at,resolution_time_hours,priority,first_response_time_minutes,satisfaction_score,escalation_flag
T-1,A-1,05-02-2024,06-02-2024 03:00,27,high,30,4,FALSE
"""  # noqa: E501
CHURN = """churn_event_id,account_id,churn_date,reason_code,refund_amount_usd,preceding_upgrade_flag,preceding_downgrade_flag,is_reactivation,feedback_text
C-1,A-2,10-03-2024,pricing,12.50,FALSE,FALSE,FALSE,too expensive
"""  # noqa: E501
FILES = {
    "accounts_1.csv": ACCOUNTS,
    "subscriptions_1.csv": SUBSCRIPTIONS,
    "usage_1.csv": USAGE,
    "tickets_1.csv": TICKETS,
    "churn_1.csv": CHURN,
}
SOURCES = """
sources:
  saas:
    kind: files
    tables:
      accounts: {path: "data/accounts_*.csv", key: account_id}
      subscriptions: {path: "data/subscriptions_*.csv", key: subscription_id}
      feature_usage: {path: "data/usage_*.csv", key: usage_id}
      support_tickets: {path: "data/tickets_*.csv", key: ticket_id}
      churn_events: {path: "data/churn_*.csv", key: churn_event_id}
  github:
    kind: files
    tables:
      events: {path: "data/events_*.jsonl.gz", key: id}
"""


def write_events(path: Path, numbers: range) -> None:
    """Events in the layout of the event log: every third one without an organization of its own."""
    lines = []
    for number in numbers:
        event = {
            "id": str(number),
            "type": "PushEvent",
            "actor": {"id": number % 5, "login": f"user{number % 5}"},
            "repo": {"id": 1, "name": "A-1/thing"},
            "payload": {"size": 1},
            "public": True,
            "created_at": f"2024-03-{1 + number % 28:02}T10:00:00Z",
            **({} if number % 3 == 0 else {"org": {"id": 9, "login": "A-2"}}),
        }
        lines.append(json.dumps(event))
    path.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of the company's files."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    write_events(folder / "events_1.jsonl.gz", range(10))
    return folder


@pytest.fixture
def platform(database: sa.URL, tmp_path: Path, data: Path) -> Platform:
    """The platform over the company, with a database and a home of its own."""
    (data.parent / "sources.yaml").write_text(SOURCES)
    return Platform(
        tmp_path,
        {
            "DATAINSIGHT_DATABASE_URL": database.set(drivername="postgresql").render_as_string(hide_password=False),
            "DATAINSIGHT_HOME": str(tmp_path / "home"),
            "DATAINSIGHT_SOURCES": str(tmp_path / "sources.yaml"),
        },
    )
