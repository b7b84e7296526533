"""Twenty organizations, every mart there is, generated questions: each login's answers are those of its own rows alone.

What a login may see is computed by hand beside the doors, as views of the operator's, and the same question is asked of
both. The marts are those that the build made, whichever they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

from tests.acceptance.questions import ORGANIZATIONS, Questions, literal
from tests.conftest import NewDatabase
from tests.dbt_project.landings import (
    account,
    churn_event,
    dashboard,
    event,
    invoice,
    land,
    opportunity,
    subscription,
    ticket,
    usage,
)  # fmt: skip
from tests.dbt_project.project import Project
from tests.warehouse.doors import Doors, Session, session
from warehouse.database import Warehouse
from warehouse.doors.logins import TENANTS
from warehouse.doors.sync import sync_policy
from warehouse.migrate import migrate
from warehouse.policy import load_policy
from warehouse.settings import Settings

QUESTIONS = 12
# Every login sees every day, and asks much of them.
DAYS = ("--vars", '{first_day: "2024-01-01", last_day: "2024-06-30"}')


def land_everything(warehouse: Warehouse) -> None:
    """Some rows of each organization in every table; every text that can say so says whose it is."""
    names = ORGANIZATIONS[1:]
    everybody = [(n, name) for n, name in enumerate([*names, "foreign"])]
    land(warehouse, "saas.accounts", [account(name, seats=str(n)) for n, name in everybody])
    land(
        warehouse,
        "saas.subscriptions",
        [subscription(f"s{i} {name}", name, mrr_amount=str(100 + n)) for n, name in everybody for i in range(2)],
    )
    land(
        warehouse,
        "saas.feature_usage",
        [usage(f"u{i} {name}", f"s0 {name}", usage_count=str(n)) for n, name in everybody for i in range(3)],
    )
    land(warehouse, "saas.support_tickets", [ticket(f"t{i} {name}", name) for _, name in everybody for i in range(3)])
    land(warehouse, "saas.churn_events", [churn_event(f"c {name}", name) for _, name in everybody])
    land(warehouse, "saas.invoices", [invoice(f"i {name}", f"s0 {name}", name) for _, name in everybody])
    land(warehouse, "saas.dashboards", [dashboard(f"d {name}", name, title=f"of {name}") for _, name in everybody])
    land(warehouse, "saas.opportunities", [opportunity(f"o {name}", name, owner=f"of {name}") for _, name in everybody])
    land(
        warehouse,
        "github.events",
        [event(100 * n + i, org=name, user=n % 3, repository=f"{name}/x") for n, name in everybody for i in range(4)],
    )
    land(
        warehouse,
        "online_retail.invoice_lines",
        [
            {
                "invoice_no": str(n), "stock_code": f"product {n}", "description": "tea", "quantity": "2",
                "invoice_date": "2024-02-01 08:26:00", "unit_price": "2.55", "customer_id": f"1785{n}.0",
                "country": "France",
            }
            for n in range(5)
        ],
        columns="invoice_no stock_code description quantity invoice_date unit_price customer_id country",
    )  # fmt: skip
    with warehouse.engine().begin() as connection:
        connection.execute(
            sa.text(
                "insert into ops.metric_queries (asked_at, organization_id, metrics, group_by, milliseconds, outcome)"
                " values (now(), :name, '{mrr}', '{}', 1, 'answered')"
            ),
            [{"name": name} for name in [*ORGANIZATIONS, "foreign", None]],
        )


@dataclass
class Marts:
    """The star behind its doors, and what each login is to find there.

    Attributes:
        columns: Of every mart that an organization may read, the columns it may read, with their types.
        urls: By organization.
    """

    doors: Doors
    project: Project
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)

    def build(self, *arguments: str) -> None:
        """Build the star."""
        for command in ("seed", "run"):
            statuses = self.project.run(command, *DAYS, *arguments)
            assert not {n: self.project.messages[n] for n, status in statuses.items() if status != "success"}

    def discover(self) -> None:
        """Look at what was built, and say by hand what each organization may see of it."""
        policy = load_policy()
        with self.doors.operator() as operator:
            for mart, column, type_name in operator.rows(
                "select table_name::text, column_name::text, data_type::text from information_schema.columns"
                " where table_schema = 'marts' order by table_name, ordinal_position"
            ):
                rule = policy.mart(mart)
                if not rule.internal and column not in rule.hidden_from_tenants:
                    self.columns.setdefault(mart, {})[column] = type_name
            for number, name in enumerate(ORGANIZATIONS):
                operator.rows(f"create schema expected_{number}")
                for mart, columns in self.columns.items():
                    rule = policy.mart(mart)
                    chosen = ", ".join(f'"{column}"' for column in columns)
                    source = f"personal.{mart}" if rule.personal else f"marts.{mart}"
                    whose = f"where {rule.organization_column} = {literal(name)}" if rule.organization_column else ""
                    operator.rows(f"create view expected_{number}.{mart} as select {chosen} from {source} {whose}")


@pytest.fixture(scope="module")
def marts(server_url: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marts]:
    with NewDatabase(server_url) as name:
        warehouse = Warehouse(server_url.set(database=name))
        migrate(warehouse.engine())
        sync_policy(warehouse)
        land_everything(warehouse)
        project = Project(warehouse.url_object, tmp_path_factory.mktemp("isolation"))
        made = Marts(Doors(warehouse, Settings(home=tmp_path_factory.mktemp("home"))), project)
        made.build()
        made.discover()
        made.urls = {name: made.doors.add(TENANTS, name)[1] for name in ORGANIZATIONS}
        yield made
        made.doors.leave()
        warehouse.dispose()


def outcome(reader: Session, question: str) -> Any:
    try:
        return reader.rows(question)
    except psycopg2.Error as error:
        return error.pgcode


@pytest.mark.parametrize("number", range(len(ORGANIZATIONS)), ids=ORGANIZATIONS)
def test_every_answer_is_that_of_its_own_rows(marts: Marts, number: int) -> None:
    organization = ORGANIZATIONS[number]
    questions = Questions(marts.columns, organization)
    answered = 0
    with session(marts.urls[organization]) as tenant, marts.doors.operator() as operator:
        operator.rows(f"set search_path = expected_{number}")
        operator.rows("set timezone = 'UTC'")
        for mart in marts.columns:
            for question in islice(questions.about(mart), QUESTIONS):
                expected = outcome(operator, question)
                assert outcome(tenant, question) == expected, question
                answered += isinstance(expected, list)
    # A question that cannot be asked shows nothing about what is answered.
    assert answered > 0.95 * QUESTIONS * len(marts.columns)


def test_every_organization_has_rows_to_see(marts: Marts) -> None:
    policy = load_policy()
    seen: dict[str, int] = dict.fromkeys(marts.columns, 0)
    for organization in ORGANIZATIONS:
        with session(marts.urls[organization]) as tenant:
            for mart in marts.columns:
                seen[mart] += tenant.value(f"select count(*) > 0 from {mart}")
    for mart, count in seen.items():
        of_the_shop_alone = mart in ("dim_products", "dim_customers", "fact_invoice_lines")
        assert count >= (1 if of_the_shop_alone else len(ORGANIZATIONS) - 1), mart
    assert {name for name, rule in policy.marts.items() if not rule.internal} == marts.columns.keys()


def test_what_is_internal_or_hidden_is_denied(marts: Marts) -> None:
    with session(marts.urls["acme"]) as tenant:
        for mart, rule in load_policy().marts.items():
            if rule.internal:
                assert "permission denied" in tenant.error(f"select * from {mart}")
            for column in rule.hidden_from_tenants:
                assert "permission denied" in tenant.error(f"select {column} from {mart}")
                assert "permission denied" in tenant.error(f"select 1 from {mart} where {column} is null")


def test_plans_name_nobody_else(marts: Marts) -> None:
    with session(marts.urls["acme"]) as tenant:
        for mart, columns in marts.columns.items():
            ask = f"select {', '.join(columns)} from {mart} where {next(iter(columns))}::text > '5'"
            for options in ("", "(analyze)", "(analyze, verbose, format json)"):
                plan = repr(tenant.rows(f"explain {options} {ask}"))
                assert not [name for name in ORGANIZATIONS if name.startswith("org") and name + "'" in plan]


def test_an_analyst_sees_every_row_and_no_personal_value(marts: Marts) -> None:
    with marts.doors.analyst() as analyst, marts.doors.operator() as operator:
        for mart, rule in load_policy().marts.items():
            source = f"personal.{mart}" if rule.personal else f"marts.{mart}"
            assert analyst.value(f"select count(*) from {mart}") == operator.value(f"select count(*) from {source}")
            for column in rule.personal:
                known = {value for (value,) in operator.rows(f"select {column} from {source}")}
                shown = {value for (value,) in analyst.rows(f"select {column} from {mart}")}
                assert known
                assert len(shown) == len(known)
                assert not shown & (known - {None})


def test_a_rebuild_changes_nothing_for_anybody(marts: Marts) -> None:
    def seen(tenant: Session) -> dict[str, Any]:
        return {mart: tenant.rows(f"select {', '.join(columns)} from {mart} order by {', '.join(columns)}")
                for mart, columns in marts.columns.items()}  # fmt: skip

    with session(marts.urls["acme"]) as tenant:
        before = seen(tenant)
        for arguments in ((), ("--full-refresh",)):
            marts.build(*arguments)
            assert seen(tenant) == before


def test_a_mart_without_a_policy_fails_its_build(marts: Marts) -> None:
    policy = load_policy()
    rest = {name: rule for name, rule in policy.marts.items() if name != "dim_plans"}
    assert sync_policy(marts.doors.warehouse, policy.model_copy(update={"marts": rest})) == ["marts.dim_plans"]
    assert marts.project.run("run", "--select", "dim_plans")["dim_plans"] == "error"
    assert "the mart dim_plans is not in the tenant policy" in str(marts.project.messages["dim_plans"])
    with session(marts.urls["acme"]) as tenant:
        assert "permission denied" in tenant.error("select * from dim_plans")
        sync_policy(marts.doors.warehouse)
        assert marts.project.run("run", "--select", "dim_plans")["dim_plans"] == "success"
        assert tenant.value("select count(*) from dim_plans") > 0
