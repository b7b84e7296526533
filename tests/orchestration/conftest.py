"""A small company in files, and the platform over it: before its first run, and after it."""

import gzip
import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.conftest import NewDatabase, migrated_database
from tests.orchestration.commands import ForkedPlatform

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


@dataclass
class Company(ForkedPlatform):
    """The platform over the company's files.

    Attributes:
        first: The summary of the run that it has behind it, if any.
    """

    first: dict[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The folder of the company's files."""
        return self.folder / "data"


def new_company(folder: Path, database: sa.URL) -> Company:
    """The company with its first files, in a folder that is there, over a migrated database."""
    company = Company(
        folder,
        {
            "DATAINSIGHT_DATABASE_URL": database.set(drivername="postgresql").render_as_string(hide_password=False),
            "DATAINSIGHT_HOME": str(folder / "home"),
            "DATAINSIGHT_SOURCES": str(folder / "sources.yaml"),
        },
    )
    company.data.mkdir()
    for name, text in FILES.items():
        (company.data / name).write_text(text)
    write_events(company.data / "events_1.jsonl.gz", range(10))
    (folder / "sources.yaml").write_text(SOURCES)
    return company


@dataclass(frozen=True)
class Parsed:
    """What the commands of a worker's tests have parsed of the project, which no later test has to parse again.

    Attributes:
        database: The name of the tests' databases: the parsed project carries it.
    """

    folder: Path
    database: str

    def give(self, company: Company) -> None:
        """Let the company know the project, for whichever sources it has been parsed."""
        shutil.copytree(self.folder, company.folder / "home" / "dbt")

    def take(self, company: Company) -> None:
        """Keep what its commands have parsed."""
        for found in (company.folder / "home" / "dbt").glob(f"*-{self.database}"):
            if not (self.folder / found.name).exists():
                shutil.copytree(found, self.folder / found.name)


@pytest.fixture(scope="session")
def _parsed(tmp_path_factory: pytest.TempPathFactory) -> Parsed:
    return Parsed(tmp_path_factory.mktemp("parsed"), f"test_{uuid.uuid4().hex}")


@pytest.fixture
def database(server_url: sa.URL, _template: str, _parsed: Parsed) -> Iterator[sa.URL]:
    """A migrated, empty database of this test's own, whose name those of other tests had."""
    with migrated_database(server_url, _template, _parsed.database) as url:
        yield url


@pytest.fixture
def platform(database: sa.URL, tmp_path: Path, _parsed: Parsed) -> Iterator[Company]:
    """The platform over the company, with a database and a home of its own; nothing has been run."""
    company = new_company(tmp_path, database)
    _parsed.give(company)
    yield company
    _parsed.take(company)


@pytest.fixture
def data(platform: Company) -> Path:
    """The folder of the company's files."""
    return platform.data


@dataclass(frozen=True)
class SavedCompany:
    """A company as it was at some moment, put back for each test where it was: its ledger and its caches name it."""

    server_url: sa.URL
    company: Company
    folder: Path
    database: str

    @contextmanager
    def put_back(self) -> Iterator[Company]:
        """The company as it was then."""
        company = self.company
        database = sa.engine.make_url(company.environment["DATAINSIGHT_DATABASE_URL"]).database
        shutil.copytree(self.folder, company.folder)
        try:
            with NewDatabase(self.server_url, template=self.database, name=database):
                yield Company(company.folder, dict(company.environment), company.first)
        finally:
            shutil.rmtree(company.folder)


@contextmanager
def saved_company(
    server_url: sa.URL, template: str, folder: Path, prepare: Callable[[Company], None]
) -> Iterator[SavedCompany]:
    """A new company after something was done with it; its folder and its database are there when it is put back."""
    with ExitStack() as stack:
        with NewDatabase(server_url, template=template) as name:
            company = new_company(folder, server_url.set(database=name))
            prepare(company)
            database = stack.enter_context(NewDatabase(server_url, template=name))
        saved = folder.with_name(f"{folder.name}_saved")
        folder.rename(saved)
        yield SavedCompany(server_url, company, saved, database)


def first_run(company: Company) -> None:
    """Run the platform over the company's files."""
    company.first = company.run()


@pytest.fixture(scope="session")
def _saved(server_url: sa.URL, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SavedCompany]:
    """The first run, made once for all tests of this worker that begin after it."""
    with saved_company(server_url, _template, tmp_path_factory.mktemp("company"), first_run) as saved:
        yield saved


@pytest.fixture
def ran(_saved: SavedCompany) -> Iterator[Company]:
    """The platform over the company after its first run, with a database and a home of its own."""
    with _saved.put_back() as company:
        yield company
