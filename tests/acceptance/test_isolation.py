"""Twenty organizations, every mart there is, generated questions: each login's answers are those of its own rows alone.

What a login may see is computed by hand beside the doors, as views of the operator's, and the same question is asked of
both. The marts are those that the build made, whichever they are.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

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

SHOP = "online_retail"
# Names that are alike, names that need quoting, and plain ones.
ORGANIZATIONS = [
    SHOP,
    "acme",
    "ACME",
    "o'brien",
    'a"b',
    "株式会社",
    "100%",
    "a_b",
    "null",
    *(f"org{n}" for n in range(11)),
]
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


def literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


class Questions:
    """Questions about the marts, the same ones for the same seed; each has one answer, whatever the plan."""

    def __init__(self, columns: dict[str, dict[str, str]], seed: str) -> None:
        self._columns = columns
        self._random = random.Random(seed)

    def about(self, mart: str) -> Iterator[str]:
        """Without end."""
        kinds = [
            self._all, self._grouped, self._joined, self._outer_joined, self._correlated, self._lateral, self._windowed,
            self._cte, self._functions, self._foreign, self._prepared, self._cursor, self._set_operation, self._scalar,
        ]  # fmt: skip
        while True:
            yield self._random.choice(kinds)(mart)

    def _column(self, mart: str) -> str:
        return self._random.choice(list(self._columns[mart]))

    def _condition(self, mart: str, alias: str = "a") -> str:
        column = f"{alias}.{self._column(mart)}"
        other = literal(self._random.choice(ORGANIZATIONS))
        return self._random.choice(
            [
                "true", f"{column} is not null", f"{column}::text > '5'", f"{column}::text like '%a%'",
                f"length({column}::text) % 2 = 0", f"md5({column}::text) > '8'", f"{column}::text <> {other}",
                f"{column}::text = {other} or true", f"coalesce({column}::text, '') in ('', {other}, {column}::text)",
            ]
        )  # fmt: skip

    def _partner(self, mart: str) -> tuple[str, str]:
        """Another mart, and a condition that joins it."""
        shared = [
            (other, column)
            for other, columns in self._columns.items()
            for column, type_name in columns.items()
            if self._columns[mart].get(column) == type_name and column.endswith(("_id", "_key", "_day", "_date"))
        ]
        other, column = self._random.choice(shared)
        return other, f"a.{column} = b.{column}"

    def _row(self, mart: str, alias: str = "a") -> str:
        """All that may be read of a row, as one text; the row itself holds hidden columns too."""
        columns = ", ".join(f"{alias}.{column}" for column in self._columns[mart])
        return f'cast(row({columns}) as text) collate "C"'

    def _all(self, mart: str) -> str:
        columns = ", ".join(f"a.{column}" for column in self._columns[mart])
        return f"select {columns} from {mart} a where {self._condition(mart)} order by {self._row(mart)}"

    def _grouped(self, mart: str) -> str:
        by, of = self._column(mart), self._column(mart)
        return (
            f'select {by}::text, count(*), count(distinct {of}), min({of}::text collate "C"), max({self._row(mart)})'
            f" from {mart} a where {self._condition(mart)} group by {by} order by 1"
        )

    def _joined(self, mart: str) -> str:
        other, on = self._partner(mart)
        return (
            f"select count(*), count(distinct {self._row(mart)}), max({self._row(other, 'b')}) from {mart} a"
            f" join {other} b on {on} where {self._condition(mart)} and {self._condition(other, 'b')}"
        )

    def _outer_joined(self, mart: str) -> str:
        other, on = self._partner(mart)
        side = self._random.choice(["left", "right", "full"])
        return (
            f"select count(*), count(a.{self._column(mart)}), count(b.{self._column(other)}), max({self._row(mart)}),"
            f" min({self._row(other, 'b')}) from {mart} a {side} join {other} b on {on}"
        )

    def _correlated(self, mart: str) -> str:
        other, on = self._partner(mart)
        negated = self._random.choice(["", "not "])
        return (
            f"select {self._row(mart)} from {mart} a where {negated}exists"
            f" (select from {other} b where {on} and {self._condition(other, 'b')}) order by 1"
        )

    def _lateral(self, mart: str) -> str:
        other, on = self._partner(mart)
        return (
            f"select {self._row(mart)}, c.* from {mart} a cross join lateral"
            f" (select count(*) as n, max({self._row(other, 'b')}) as most from {other} b where {on}) c"
            f" where {self._condition(mart)} order by 1, 2, 3 limit 50"
        )

    def _windowed(self, mart: str) -> str:
        by = self._column(mart)
        return (
            f"select {by}::text, count(*) over (partition by {by}),"
            f" first_value({self._row(mart)}) over (partition by {by} order by {self._row(mart)})"
            f" from {mart} a order by 1, 2, 3 limit 100"
        )

    def _cte(self, mart: str) -> str:
        other, on = self._partner(mart)
        kind = self._random.choice(["materialized", "not materialized"])
        columns, others = (", ".join(self._columns[name]) for name in (mart, other))
        return (
            f"with a as {kind} (select {columns} from {mart} a where {self._condition(mart)}),"
            f" b as (select {others} from {other}) select count(*), max({self._row(mart)}) from a join b on {on}"
        )

    def _functions(self, mart: str) -> str:
        row = self._row(mart)
        return self._random.choice(
            [
                f"select json_agg({row} order by {row})::text from {mart} a",
                f"select string_agg({row}, '|' order by {row}) from {mart} a where {self._condition(mart)}",
                f"select word, ndoc from ts_stat('select to_tsvector(''simple'', {row}) from {mart} a') order by 1, 2",
                f"select array_length(array(select 1 from {mart}), 1), to_jsonb((select max({row}) from {mart} a))",
                f"select percentile_disc(0.5) within group (order by {row}), mode() within group (order by {row})"
                f" from {mart} a",
                f"select distinct regexp_split_to_table({row}, ',') from {mart} a order by 1",
            ]
        )

    def _foreign(self, mart: str) -> str:
        other = literal(self._random.choice([*ORGANIZATIONS, "foreign", "(unknown)"]))
        row, column = self._row(mart), self._column(mart)
        return self._random.choice(
            [
                f"select {row} from {mart} a where {column}::text = {other} order by 1",
                f"select count(*) from {mart} a where {column}::text = {other} and 1 / (length({row}) * 0 + 1) = 1",
                f"select {row} from {mart} a where {row} like '%' || {other} || '%' order by 1",
                f"select count(*) from {mart} a where {column}::text in (select {other} union select 'foreign')",
            ]
        )

    def _prepared(self, mart: str) -> str:
        plan = self._random.choice(["force_generic_plan", "force_custom_plan"])
        return (
            f"set plan_cache_mode = {plan}; deallocate all; prepare p (text) as select {self._row(mart)} from {mart} a"
            f" where {self._column(mart)}::text >= $1 order by 1; execute p('1')"
        )

    def _cursor(self, mart: str) -> str:
        return (
            f"close all; declare c cursor with hold for select {self._row(mart)} from {mart} a"
            f" where {self._condition(mart)} order by 1; fetch 20 from c"
        )

    def _set_operation(self, mart: str) -> str:
        other, _ = self._partner(mart)
        operation = self._random.choice(["union", "union all", "intersect", "except"])
        return (
            f"select {self._column(mart)}::text from {mart} a {operation}"
            f" select {self._column(other)}::text from {other} b order by 1 limit 100"
        )

    def _scalar(self, mart: str) -> str:
        other, _ = self._partner(mart)
        return (
            f"select (select count(*) from {mart} a where {self._condition(mart)}),"
            f" (select max({self._row(other, 'b')}) from {other} b),"
            f" exists (select from {mart} a where {self._condition(mart)})"
        )


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
