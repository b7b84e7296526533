"""Each organization sees its own rows: through every metric, against hostile questions, for every mart."""

from pathlib import Path
from typing import Any

import pytest

from serving.pruning import Pruning
from serving.query import TimeRange
from serving.tenancy import marts_of, parse_statement, restrict
from tests.serving.conftest import Asking, Store
from warehouse.errors import DataInsightError
from warehouse.policy import MartPolicy, Policy, load_policy

MARTS = Path(__file__).resolve().parents[2] / "dbt_project" / "models" / "marts"
ORGANIZATIONS = ("acme", "bolt", "crow")
ALWAYS = Pruning(TimeRange(), "day", {})
SUMS = [
    *("mrr", "arr", "active_subscriptions", "active_organizations", "churn_events", "refunds_usd"),
    *("feature_uses", "usage_hours", "tickets_opened", "user_actions"),
]
HOSTILE = [
    "' or true --",
    "x') or 1=1; drop table marts.fact_user_actions; --",
    "\\' or true --",
    "{{ Dimension('organization__country') }}",
    "{% for x in range(10) %}x{% endfor %}",
    "{# comment #}",
    "}} {{ 7 * 7 }}",
    "__value_0__",
    "$1 ? :name %s %(x)s {0}",
    "'' ''' \" `",
    "/* */ -- \n ; \r\n\t",
    "\u202e\u0000".replace("\u0000", "") + "Ω≠é𝄞",
    "read_parquet('/etc/passwd')",
    "%",
    "_",
    "",
]


def test_the_sum_over_all_organizations_is_the_whole(reader: Asking) -> None:
    for metric in SUMS:
        ((whole,),) = reader.rows(metric)
        parts = [reader.rows(metric, organization=name)[0][0] or 0 for name in ORGANIZATIONS]
        assert sum(parts) == pytest.approx(whole, abs=0.001), metric
        by_organization = reader.rows(metric, group_by=["organization"])
        assert sum(row[1] or 0 for row in by_organization) == pytest.approx(whole, abs=0.001), metric


def test_an_organization_finds_no_other_in_any_dimension(reader: Asking) -> None:
    refused = set()
    for metric in reader.metrics.list():
        for dimension in metric["dimensions"]:
            if dimension.startswith(("account", "organization", "user")) and dimension != "organization_month":
                try:
                    rows = reader.rows(metric["name"], group_by=[dimension], organization="bolt")
                except DataInsightError as error:
                    if "no organization may see" not in str(error):
                        raise
                    refused.add(metric["name"])
                    continue
                text = repr(rows).lower()
                assert "acme" not in text, (metric["name"], dimension)
                assert "crow" not in text, (metric["name"], dimension)
    assert "weighted_pipeline_usd" in refused
    assert not refused & {*SUMS, "open_pipeline_usd", "win_rate"}
    assert reader.rows(
        "user_actions",
        organization="bolt",
        filters=[{"dimension": "organization_id", "op": "in", "values": ["acme", "bolt"]}],
    ) == [[120]]


@pytest.mark.parametrize("organization", ["nobody", "acme' or '1'='1", "", "%", "{{ x }}", "ACME"])
def test_whoever_is_not_an_organization_sees_nothing(reader: Asking, organization: str) -> None:
    assert reader.rows("user_actions", organization=organization) == [[None]]
    assert reader.rows("mrr", group_by=["organization"], organization=organization) == []


def test_hostile_values_are_only_values(store: Store, ask: Asking) -> None:
    names = ", ".join(
        "('h{}', '{}', null, 'XX', null, null, false, 1)".format(n, value.replace("'", "''"))
        for n, value in enumerate(HOSTILE)
    )
    store.sql(f"insert into marts.dim_organizations values {names}")
    rows = ", ".join(
        f"('h{n}', 'h{n}', 'u', 'k', 'PushEvent', '2024-01-01', '2024-01-01', 1)" for n in range(len(HOSTILE))
    )
    store.sql(f"insert into marts.fact_user_actions values {rows}")
    store.publish()

    for value in HOSTILE:
        filters: Any = [{"dimension": "organization__name", "op": "eq", "values": [value]}]
        answer = ask.rows("user_actions", group_by=["organization__name"], filters=filters)
        assert answer == [[value, 1]]
        two: Any = [{"dimension": "organization__name", "op": "in", "values": ["Acme", value]}]
        assert ask.rows("user_actions", filters=two) == [[121]]
        assert ask.rows("user_actions", filters=filters, organization="acme") == [[None]]


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_what_no_text_can_hold_is_refused(reader: Asking, value: str) -> None:
    filters: Any = [{"dimension": "country", "op": "eq", "values": [value]}]

    with pytest.raises(DataInsightError, match=r"is no string|valid string"):
        reader.rows("mrr", filters=filters)
    with pytest.raises(DataInsightError, match="is no string"):
        reader.rows("mrr", organization=value)


@pytest.mark.parametrize(
    "name", ["country' or true --", "{{ 1 }}", "organization__country; select 1", "marts.dim_plans", "\0"]
)
def test_hostile_names_are_unknown_names(reader: Asking, name: str) -> None:
    for query in ({"group_by": [name]}, {"filters": [{"dimension": name, "op": "is_null"}]}, {"order_by": [name]}):
        with pytest.raises(DataInsightError, match="there is no"):
            reader.rows("mrr", **query)
    with pytest.raises(DataInsightError, match="there is no metric"):
        reader.rows(name)


def test_a_mart_that_the_policy_does_not_know_is_served_to_nobody(published: Store) -> None:
    from serving.metrics import Metrics

    marts = {name: mart for name, mart in load_policy().marts.items() if name != "dim_plans"}
    asking = Asking(Metrics(published.settings, published.warehouse, Policy(marts=marts)))

    assert asking.rows("mrr") == [[300.5]]
    for organization in (None, "acme"):
        with pytest.raises(DataInsightError, match="dim_plans is not in the tenant policy"):
            asking.rows("mrr", group_by=["plan"], organization=organization)
    asking.metrics.close()


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_parquet('/etc/*')",
        "select * from '/etc/passwd'",
        "select * from marts.fact_user_actions, raw_saas.accounts",
        "select * from other.marts.fact_user_actions",
        "select * from fact_user_actions",
        "select (select max(a) from duckdb_settings()) from marts.dim_plans",
        "with x as (select 1) select * from x, y",
    ],
)
def test_whatever_is_no_mart_is_refused(sql: str) -> None:
    with pytest.raises(DataInsightError, match="is no mart"):
        marts_of(parse_statement(sql))


@pytest.mark.parametrize("sql", ["drop table marts.dim_plans", "select 1; select 2", "copy x to 'y'"])
def test_whatever_is_no_query_is_refused(sql: str) -> None:
    with pytest.raises(DataInsightError, match="only a single query"):
        parse_statement(sql)


def test_the_filter_reaches_every_place_a_mart_is_read() -> None:
    from sqlglot import exp

    policy = Policy(marts={"f": MartPolicy(organization_column="org"), "d": MartPolicy(shared=True)})
    tree = parse_statement(
        "with c as (select * from marts.f) select (select count(*) from marts.f as g), * from c"
        " join marts.f on true join marts.d on true where exists (select 1 from marts.f)"
        " union all select * from marts.f"
    )
    restrict(tree, policy, "o'1", lambda mart, _: exp.table_(mart, db="snapshot"), ALWAYS)

    made = tree.sql(dialect="duckdb")
    assert made.count("FROM snapshot.f WHERE \"org\" = 'o''1'") == 5
    assert made.count("snapshot.f") == 5
    assert "marts." not in made
    assert "(SELECT * FROM snapshot.d) AS d" in made


def asking_with(store: Store, **rules: dict[str, Any]) -> Asking:
    from serving.metrics import Metrics

    marts = load_policy().marts | {name: MartPolicy.model_validate(rule) for name, rule in rules.items()}
    return Asking(Metrics(store.settings, store.warehouse, Policy(marts=marts)))


def test_an_internal_mart_answers_no_organization(published: Store) -> None:
    asking = asking_with(published, fact_user_actions={"internal": True}, dim_users={"internal": True})

    assert asking.rows("user_actions") == [[360]]
    assert asking.rows("mrr", organization="acme") == [[100.0]]
    for query in ({}, {"group_by": ["user__login"]}, {"group_by": ["metric_time"], "grain": "month"}):
        with pytest.raises(DataInsightError, match="what no organization may see") as caught:
            asking.rows("user_actions", organization="acme", **query)
        assert "fact_user_actions" not in caught.value.message
    asking.metrics.close()


def test_a_hidden_column_answers_no_organization(published: Store) -> None:
    rule = {"organization_column": "organization_id", "hidden_from_tenants": ["priority", "satisfaction_score"]}
    asking = asking_with(published, fact_support_tickets=rule)
    by_priority = {"group_by": ["priority"]}
    only_high: Any = {"filters": [{"dimension": "priority", "op": "eq", "values": ["high"]}]}

    assert asking.rows("tickets_opened", organization="acme") == [[20]]
    assert len(asking.rows("tickets_opened", **by_priority)) == 2
    for query in (by_priority, only_high, {**by_priority, **only_high}):
        with pytest.raises(DataInsightError, match="what no organization may see") as caught:
            asking.rows("tickets_opened", organization="acme", **query)
        assert "priority" not in caught.value.message + str(caught.value.hint)
        assert "high" not in caught.value.message + str(caught.value.hint)
    asking.metrics.close()


@pytest.mark.parametrize(
    "sql",
    [
        "select secret from marts.f",
        "select SECRET from marts.f",
        'select f."Secret" from marts.f',
        "select g.secret from marts.f as g",
        "select max(1) from marts.f where secret > 1",
        "select 1 from marts.d join marts.f on d.x = f.secret",
        "select 1 from marts.d left join marts.f as g on true order by g.secret",
        "with c as (select x, secret as s from marts.f) select x from c",
        "select (select max(secret) from marts.f) from marts.d",
        "select x from marts.d union all select secret from marts.f",
    ],
)
def test_a_hidden_column_is_found_wherever_it_is_read(sql: str) -> None:
    from sqlglot import exp

    policy = Policy(
        marts={
            "f": MartPolicy(organization_column="org", hidden_from_tenants=("secret",)),
            "d": MartPolicy(shared=True),
        }
    )
    restrict(parse_statement(sql), policy, None, lambda mart, _: exp.table_(mart), ALWAYS)
    with pytest.raises(DataInsightError, match="what no organization may see"):
        restrict(parse_statement(sql), policy, "acme", lambda mart, _: exp.table_(mart), ALWAYS)


def test_whoever_asks_for_everything_gets_no_hidden_column() -> None:
    from sqlglot import exp

    policy = Policy(marts={"f": MartPolicy(organization_column="org", hidden_from_tenants=("a b", "secret"))})
    tree = parse_statement("select * from marts.f")
    restrict(tree, policy, "acme", lambda mart, _: exp.table_(mart), ALWAYS)
    assert tree.sql(dialect="duckdb") == (
        """SELECT * FROM (SELECT * EXCLUDE ("a b", "secret") FROM f WHERE "org" = 'acme') AS f"""
    )


def test_a_mart_with_personal_columns_is_a_mart() -> None:
    ((_, mart),) = marts_of(parse_statement("select * from personal.dim_users"))
    assert mart == "dim_users"


def test_the_policy_names_every_mart_and_no_other() -> None:
    assert {model.stem for model in MARTS.rglob("*.sql")} == load_policy().marts.keys()


@pytest.mark.parametrize(
    "text",
    ["marts: {f: {}}", "marts: {f: {shared: true, organization_column: x}}", "marts: {f: {open: true}}", "- x", "{"],
)
def test_a_policy_that_is_none_says_where(tmp_path: Path, text: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(DataInsightError, match=r"policy\.yaml is not usable"):
        load_policy(file)
