"""What can go wrong with a source database: one line that says what and what to do, and never the password."""

import socket
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from connectors.config import load_sources
from tests.connectors.database.conftest import Shop, SourceDatabase
from warehouse.errors import DataInsightError

PASSWORD = "s3cret/p@ss"


def failure(shop: Shop, url: str, *lines: str) -> DataInsightError:
    """The error of a run; nothing of it shows the password, in any spelling."""
    with pytest.raises(DataInsightError) as caught:
        shop(url, *(lines or ["tables: {orders: {}}"])).run()
    error = caught.value
    said = f"{error.message} {error.hint}"
    assert "\n" not in said
    assert not any(form in said for form in ("s3cret", "p%40ss", "p@ss"))
    assert error.hint
    return error


@pytest.fixture
def reader(origin: SourceDatabase) -> Iterator[str]:
    """The URL of a user who may connect, and no more."""
    name = f"reader_{origin.url.database}"
    origin.execute(f"create role {name} login password '{PASSWORD}'", "create table orders (id int primary key)")
    yield origin.url.set(drivername="postgresql", username=name, password=PASSWORD).render_as_string(
        hide_password=False
    )
    origin.execute(f"drop owned by {name}", f"drop role {name}")


def test_a_wrong_password(reader: str, shop: Shop) -> None:
    url = sa.make_url(reader).set(password=f"{PASSWORD}x").render_as_string(hide_password=False)
    error = failure(shop, url)
    assert "cannot be reached" in error.message
    assert "password authentication failed" in error.message


def test_a_server_that_is_down(shop: Shop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        for scheme in ("postgresql", "mysql", "mssql"):
            error = failure(shop, f"{scheme}://u:s3cret%2Fp%40ss@127.0.0.1:{port}/db")
            assert f"127.0.0.1:{port}/db cannot be reached" in error.message
            assert error.hint == "is the server up, and are host and port in the url right?"


def test_an_unknown_database(origin: SourceDatabase, shop: Shop) -> None:
    url = origin.url.set(drivername="postgresql", database="no_such").render_as_string(hide_password=False)
    error = failure(shop, url)
    assert error.hint == "check the name of the database in the url"


def test_a_table_that_is_not_there(origin: SourceDatabase, shop: Shop) -> None:
    origin.execute("create table orders_new (id int)", "create table customers (id int)")
    error = failure(shop, origin.text)
    assert error.message == "source shop, table orders: there is no table or view orders; near it: orders_new"
    found = shop(origin.text, "tables: {orders: {}, customers: {}}").check()
    assert found["orders"]["ok"] is False
    assert "near it: orders_new" in found["orders"]["problem"]
    assert found["customers"]["ok"] is True


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("cursor: updatedat", "public.orders has no column updatedat, which is its cursor; did you mean updated_at?"),
        ("key: order_id", "public.orders has no column order_id, which is its key; it has id, updated_at"),
        ("columns: [updated_at]", "public.orders: its key id is not among the columns to land"),
    ],
)
def test_a_column_that_is_not_there(origin: SourceDatabase, shop: Shop, settings: str, problem: str) -> None:
    origin.execute("create table orders (id int primary key, updated_at timestamptz)")
    source = shop(origin.text, f"tables: {{orders: {{{settings}}}}}")
    assert source.check()["orders"]["problem"] == problem
    with pytest.raises(DataInsightError, match=problem.split(";", maxsplit=1)[0]):
        source.run()


def test_a_table_that_the_user_may_not_read(reader: str, shop: Shop) -> None:
    error = failure(shop, reader)
    assert "public.orders cannot be read: permission denied for table orders" in error.message
    assert error.hint == "grant the user SELECT on it, or leave the table away"


def test_a_query_that_is_none(origin: SourceDatabase, shop: Shop) -> None:
    error = failure(shop, origin.text, 'tables: {x: {query: "selec 1"}}')
    assert "the query of x cannot be read: syntax error at or near" in error.message
    error = failure(shop, origin.text, 'tables: {x: {query: "select 1 as a, 2 as a"}}')
    assert error.message == "the query of x gives the column a twice"


def test_a_connection_that_breaks_on_the_way(origin: SourceDatabase, shop: Shop) -> None:
    query = (
        "select g, repeat('x', 200) as words, case when g = 300000 then pg_terminate_backend(pg_backend_pid()) end as z"
        " from generate_series(1, 400000) as g"
    )
    error = failure(shop, origin.text, f'tables: {{x: {{query: "{query}"}}}}')
    assert "the connection broke; nothing of this load counts" in str(error.hint)


def test_a_time_limit(origin: SourceDatabase, shop: Shop) -> None:
    url = f"{origin.text}?options=-c%20statement_timeout%3D50"
    error = failure(
        shop, url, 'tables: {x: {query: "select g, pg_sleep(0.01) is null as z from generate_series(1, 1000) as g"}}'
    )
    assert "canceling statement due to statement timeout" in error.message
    assert "raise its time limit" in str(error.hint)


def test_one_table_that_fails_stops_the_others(origin: SourceDatabase, shop: Shop) -> None:
    origin.execute("create table t as select g as id from generate_series(1, 1000) as g")
    bad = 'bad: {query: "select 1 / (g - 500) as x from generate_series(1, 1000) as g"}'
    assert "division by zero" in failure_without_hint(shop, origin.text, f"tables: {{t: {{}}, {bad}}}")


def failure_without_hint(shop: Shop, url: str, line: str) -> str:
    with pytest.raises(DataInsightError) as caught:
        shop(url, line).run()
    return caught.value.message


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3cret", "source shop: its url is not a database URL"),
        ("postgresql://u:s3cret@h:notaport/d", "source shop: its url is not a database URL"),
        ("sqlite:///nowhere.db", "there is no database file"),
        ("sqlite://", "names no database file"),
        ("nosuch://u:s3cret@h/d", "nothing here reads nosuch"),
        ("oracle+oracledb://u:s3cret@h/d", "nothing here reads oracle+oracledb: oracledb is not installed"),
    ],
)
def test_a_url_that_is_none(shop: Shop, url: str, said: str) -> None:
    assert said in failure(shop, url).message


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["tables: {orders: {table: a, query: b}}"], "has both a table and a query"),
        (["tables: {orders: {lag: 2 days}}"], "has a lag but no cursor"),
        (["tables: {orders: {cursor: a, lag: soon}}"], 'must be a span such as "2 days"'),
        (["tables: {orders: {cast: {a: number}}}"], "must be"),
        (["tables: {orders: {cursors: a}}"], "did you mean cursor?"),
        (["parallel: 99", "tables: {orders: {}}"], "must be a whole number from 1 to 16"),
        (["parallel: 2"], "names no table"),
    ],
)
def test_a_mistake_in_the_settings(shop: Shop, lines: list[str], said: str) -> None:
    with pytest.raises(DataInsightError) as caught:
        shop("postgresql://u:s3cret@h/d", *lines)
    assert said in caught.value.message
    assert "s3cret" not in caught.value.message


def test_the_url_is_no_part_of_what_is_printed(shop: Shop) -> None:
    source = shop("postgresql://u:s3cret@h/d", "tables: {orders: {}}").source
    assert "s3cret" not in repr(source)
    assert "s3cret" not in source.model_dump_json()


def test_tables_without_settings_and_drafts_without_tables(shop: Shop, tmp_path, origin: SourceDatabase) -> None:
    origin.execute("create table orders (id int primary key, updated_at timestamptz, created_at timestamptz)")
    assert list(shop(origin.text, "tables:", "  orders:").source.tables) == ["orders"]
    found = shop(origin.text).discover()
    assert found["orders"] == {
        "table_name": "orders",
        "key": ["id"],
        "cursor": "updated_at",
        "columns": ["id", "updated_at", "created_at"],
        "types": {
            "id": "integer",
            "updated_at": "timestamp with time zone",
            "created_at": "timestamp with time zone",
        },
        "configured": False,
        "settings": {"key": "id", "cursor": "updated_at"},
    }
    assert load_sources(tmp_path / "sources.yaml", tmp_path, drafts=["shop"])
