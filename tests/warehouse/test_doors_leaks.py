"""Ways around the doors: what an error, a plan or a catalogue could tell, and what a login could leave behind."""

import psycopg2
import pytest

from tests.warehouse.doors import OTHERS, Doors, session
from warehouse.database import LOADER
from warehouse.doors.logins import ANALYSTS, TENANTS, remove_login
from warehouse.settings import Settings


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        # The first value that cannot be read is the organization's own, or there is none.
        ("select note::date from fact_sales", '"1"'),
        ("select count(*) from fact_sales where note::int = 1", None),
        ("select count(*) from fact_sales where 1 / (amount - 7777001) < 1", None),
        ("select count(*) from fact_sales where organization_id = 'globex' and note::int = 1", None),
        ("select count(*) from fact_sales where note::int = 1 and organization_id = 'globex'", None),
        ("select count(*) from dim_days join fact_sales on note::int = number", None),
        ("select sum(note::int) from (select note from fact_sales offset 0) s", None),
        ("select max(note::int) from fact_sales group by organization_id having max(note::int) > 0", None),
        ("select count(*) from fact_sales order by min(note::int)", None),
        ("select count(*) from dim_people where 1 / (length(email) - length('secret1@example.com')) < 1", None),
        ("select count(*) from dim_people where email::int = 1", "ann"),
        ("select count(*) from dim_people where person_key = 'globex1' and email::int = 1", None),
        ("select count(*) from fact_sales where pg_input_is_valid(note, 'integer') = false", None),
        ("select count(*) from fact_sales where regexp_count(note, 'secret') > 0", None),
        ("select count(*) from fact_sales where to_number(note, '9S') < 0", None),
        ("do $$ declare n int; begin select max(note::int) into n from fact_sales; end $$", None),
        ("do $$ begin raise exception '%', (select string_agg(note, ',') from fact_sales); end $$", "1,2"),
        ("do $$ begin execute 'select note::date from marts.fact_sales'; end $$", '"1"'),
        ("create table pg_temp.t as select * from fact_sales", "read-only"),
    ],
)
def test_an_error_names_no_foreign_value(doors: Doors, statement: str, said: str | None) -> None:
    with doors.tenant() as acme:
        if said is None:
            acme.rows(statement)
            return
        error = acme.error(statement)
        assert said in error
        assert not [mark for mark in OTHERS if mark in error]


def test_a_foreign_value_raises_no_error(doors: Doors) -> None:
    with doors.operator() as operator:
        assert "invalid input syntax" in operator.error("select count(*) from marts.fact_sales where note::int = 1")
        assert "division by zero" in operator.error(
            "select count(*) from marts.fact_sales where 1/(amount - 7777001) < 1"
        )
    with doors.tenant() as acme:
        for settings in ("", "set enable_seqscan = off", "set enable_hashjoin = off; set enable_mergejoin = off"):
            if settings:
                acme.rows(settings)
            assert acme.value("select count(*) from fact_sales where 1 / (amount - 7777001) < 1") == 50
            assert acme.value("select count(*) from dim_days join fact_sales on note::int = number") == 50


WRITING = [
    "insert into fact_sales select * from fact_sales",
    "update fact_sales set note = note",
    "delete from fact_sales",
    "truncate fact_sales",
    "merge into fact_sales s using fact_sales t on s.sale_id = t.sale_id when matched then delete",
    "select * from fact_sales for update",
    "select * from fact_sales for share",
    "begin; lock table fact_sales in exclusive mode",
    "create table public.t (x int)",
    "create table marts.t (x int)",
    "create temporary table t (x int)",
    "create view marts.v as select 1",
    "create temporary view v as select * from fact_sales",
    "create function marts.f(text) returns boolean language plpgsql cost 0.01 as 'begin return true; end'",
    "create function pg_temp.f(text) returns boolean language plpgsql cost 0.01 as 'begin return true; end'",
    "create operator marts.=== (leftarg = text, rightarg = text, function = texteq)",
    "create schema mine",
    "create role mine",
    "create policy mine on fact_sales using (true)",
    "drop policy own_rows on fact_sales",
    "alter table fact_sales disable row level security",
    "alter table fact_sales owner to current_user",
    "alter view dim_people set (security_barrier = false)",
    "comment on table fact_sales is 'mine'",
    "create index on fact_sales (note)",
    "alter role current_user createrole",
    "alter role current_user connection limit 1000",
    "alter role current_user bypassrls",
    "alter system set log_statement = 'all'",
    "copy fact_sales from stdin",
    "copy fact_sales to '/tmp/rows'",
    "copy (select 1) to program 'cat'",
    "select lo_create(0)",
    "select lo_from_bytea(0, 'x')",
    "select lo_import('/etc/passwd')",
    "select pg_read_file('/etc/passwd')",
    "select pg_ls_dir('.')",
    "select * from pg_authid",
    "select * from pg_largeobject",
    "select * from pg_statistic",
    "select * from pg_user_mapping",
    "select pg_reload_conf()",
    "select set_config('session_replication_role', 'replica', false)",
]


@pytest.mark.parametrize("statement", WRITING)
def test_a_login_cannot_write_even_when_it_wants_to(doors: Doors, statement: str) -> None:
    for opening in (doors.tenant(), doors.analyst()):
        with opening as reader:
            # A session may leave the read-only mode that it begins with; nothing is there to be written all the same.
            reader.rows("set default_transaction_read_only = off")
            error = reader.error(statement)
    assert any(word in error for word in ("permission denied", "must be owner", "must be able", "cannot")), error


def test_a_session_begins_read_only(doors: Doors) -> None:
    with doors.tenant() as acme:
        assert "read-only transaction" in acme.error("create temporary table t (x int)")
        assert acme.rows("show default_transaction_read_only") == [("on",)]


def test_row_security_cannot_be_switched_off(doors: Doors) -> None:
    with doors.tenant() as acme:
        error = acme.error("set row_security = off", "select * from fact_sales")
        assert "would be affected by row-level security" in error


def test_copy_gives_own_rows_only(doors: Doors, tmp_path) -> None:
    with doors.tenant() as acme, (tmp_path / "rows").open("w+") as file, acme.connection.cursor() as cursor:
        cursor.copy_expert("copy marts.fact_sales to stdout", file)
        cursor.copy_expert("copy (select note from fact_sales) to stdout", file)
        file.seek(0)
        lines = file.read().splitlines()
    assert len(lines) == 100
    assert not [line for line in lines if any(mark in line for mark in OTHERS)]


def test_statistics_are_kept_from_readers(doors: Doors) -> None:
    doors.transform("analyze marts.fact_sales", "analyze personal.dim_people")
    with doors.operator() as operator:
        assert "secret" in str(operator.rows("select most_common_vals, histogram_bounds from pg_stats"))
    with doors.tenant() as acme, doors.analyst() as analyst:
        # Those of the server's own tables hold numbers of objects, which may look like anything.
        assert acme.rows("select * from pg_stats where schemaname not in ('pg_catalog', 'information_schema')") == []
        assert acme.rows("select * from pg_stats where tablename in ('fact_sales', 'dim_people')") == []
        assert analyst.rows("select * from pg_stats where schemaname = 'personal'") == []


def test_what_others_ask_is_kept_from_readers(doors: Doors) -> None:
    with doors.tenant("acme") as acme, doors.tenant("globex") as globex, doors.analyst() as analyst:
        globex.rows("select 'secret' from fact_sales limit 0")
        login = globex.value("select current_user")
        for reader in (acme, analyst):
            seen = reader.rows("select query from pg_stat_activity where usename = %s", [login])
            assert seen == [("<insufficient privilege>",)]
            assert reader.rows("select * from pg_prepared_statements") == []
            assert reader.rows("select * from pg_cursors where statement like '%secret%'") == []


SCHEMAS = ["app", "ops", "raw_saas", "staging", "intermediate", "personal", "partitions", "dagster"]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_no_door_leads_behind_the_marts(doors: Doors, schema: str) -> None:
    with doors.operator(LOADER) as loader:
        loader.rows("create schema raw_saas")
        loader.rows("create table raw_saas.accounts as select 'secret' as note")
    doors.transform(
        "create table staging.stg_things as select 'secret' as note",
        "create table intermediate.int_things as select 'secret' as note",
        "create table partitions.things as select 'secret' as note",
    )
    with doors.operator() as operator:
        operator.rows("create table dagster.runs (x int)")
        found = operator.rows(
            "select relname from pg_class where relkind in ('r', 'v', 'p') and relnamespace = %s::regnamespace",
            [schema],
        )
    relations = [name for (name,) in found]
    assert relations
    with doors.tenant() as acme, doors.analyst() as analyst:
        for reader in (acme, analyst):
            for relation in relations:
                assert "permission denied" in reader.error(f"select * from {schema}.{relation}")
                assert (
                    reader.value(f"select count(*) from information_schema.columns where table_schema = '{schema}'")
                    == 0
                )


def test_partitions_are_read_through_their_mart_alone(bare_doors: Doors) -> None:
    bare_doors.transform(
        "create table marts.fact_sales (organization_id text, sale_date date, note text)"
        " partition by range (sale_date)",
        "create table partitions.fact_sales_2024_01 partition of marts.fact_sales"
        " for values from ('2024-01-01') to ('2024-02-01')",
        "insert into marts.fact_sales values ('acme', '2024-01-05', 'own'), ('globex', '2024-01-05', 'secret')",
        "select app.protect('marts', 'fact_sales')",
    )
    with bare_doors.tenant() as acme, bare_doors.analyst() as analyst:
        assert acme.rows("select note, tableoid::regclass::text from fact_sales") == [
            ("own", "partitions.fact_sales_2024_01")
        ]
        assert analyst.value("select count(*) from fact_sales") == 2
        for reader in (acme, analyst):
            assert "permission denied" in reader.error("select * from partitions.fact_sales_2024_01")


def test_a_plan_counts_and_names_no_foreign_value(doors: Doors) -> None:
    doors.transform("analyze marts.fact_sales", "create index on marts.fact_sales (organization_id, sale_date)")
    with doors.tenant() as acme:
        for options in ("", "analyze,", "analyze, buffers, verbose,"):
            for form in ("text", "json"):
                plan = str(acme.rows(f"explain ({options} format {form}) select * from fact_sales where note::int > 1"))
                assert not [mark for mark in OTHERS if mark in plan]


def test_the_limits_of_a_session_are_those_of_the_settings(doors: Doors) -> None:
    with doors.tenant() as acme, doors.analyst() as analyst:
        shown = [
            ("statement_timeout", "1min", "10min"),
            ("idle_in_transaction_session_timeout", "1min", "1min"),
            ("lock_timeout", "10s", "10s"),
            ("default_transaction_read_only", "on", "on"),
            ("search_path", "marts, metrics", "marts, metrics"),
            ("timezone", "UTC", "UTC"),
            ("temp_file_limit", "1GB", "1GB"),
        ]
        for name, of_tenant, of_analyst in shown:
            assert (acme.value(f"show {name}"), analyst.value(f"show {name}")) == (of_tenant, of_analyst)


def test_a_statement_that_takes_too_long_is_cancelled(bare_doors: Doors) -> None:
    hurried = Doors(bare_doors.warehouse, bare_doors.settings.model_copy(update={"tenant_statement_seconds": 1}))
    with hurried.tenant() as acme:
        assert "statement timeout" in acme.error("select pg_sleep(30)")


def test_a_statement_that_fills_the_disk_is_stopped(bare_doors: Doors) -> None:
    small = Doors(bare_doors.warehouse, bare_doors.settings.model_copy(update={"login_temporary_bytes": 1024**2}))
    sort = "select count(*) from (select n from generate_series(1, 300000) as n order by md5(n::text)) as sorted"
    with small.tenant() as acme, small.analyst() as analyst:
        for reader in (acme, analyst):
            reader.rows("set statement_timeout = 0; set work_mem = '1MB'; set max_parallel_workers_per_gather = 0")
            assert "temporary file size exceeds" in reader.error(sort)
            assert "permission denied to set parameter" in reader.error("set temp_file_limit = -1")
            assert "permission denied" in reader.error(
                "set default_transaction_read_only = off", "alter role current_user set temp_file_limit = -1"
            )


def test_a_login_may_change_its_own_password_and_no_other(bare_doors: Doors) -> None:
    """PostgreSQL lets every role do so; whoever has lost it is removed and added again."""
    login, url = bare_doors.add(TENANTS, "acme")
    other, _ = bare_doors.add(TENANTS, "globex")
    with session(url) as acme:
        assert "read-only" in acme.error("alter role current_user password 'mine'")
        acme.rows("set default_transaction_read_only = off")
        acme.rows("alter role current_user password 'mine'")
        assert "permission denied" in acme.error(f"alter role {other} password 'mine'")
    with pytest.raises(psycopg2.OperationalError, match="authentication failed"), session(url):
        pass
    assert remove_login(bare_doors.warehouse, TENANTS, "acme") == login
    again, url = bare_doors.add(TENANTS, "acme")
    with session(url) as acme:
        assert acme.value("select current_user") == again


def test_a_transaction_that_does_nothing_is_ended(bare_doors: Doors) -> None:
    hurried = Doors(bare_doors.warehouse, bare_doors.settings.model_copy(update={"login_idle_seconds": 1}))
    with hurried.tenant() as acme, hurried.operator() as operator:
        login = acme.value("select current_user")
        acme.rows("begin")
        while operator.value(f"select count(*) from pg_stat_activity where usename = '{login}'") > 0:
            pass
        with pytest.raises(psycopg2.OperationalError):
            acme.rows("select 1")


def limited(settings: Settings) -> Settings:
    return settings.model_copy(update={"tenant_connections": 2, "analyst_connections": 1})


def test_a_login_has_so_many_connections_and_no_more(bare_doors: Doors) -> None:
    strict = Doors(bare_doors.warehouse, limited(bare_doors.settings))
    _, url = strict.add(TENANTS, "acme")
    with (
        session(url),
        session(url),
        pytest.raises(psycopg2.OperationalError, match="too many connections"),
        session(url),
    ):
        pass
    _, url = strict.add(ANALYSTS, "maria")
    with session(url), pytest.raises(psycopg2.OperationalError, match="too many connections"), session(url):
        pass
