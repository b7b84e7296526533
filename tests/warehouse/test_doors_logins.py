"""Logins: given and taken, called what, told apart on a server that several warehouses share."""

import threading
import uuid
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

from tests.conftest import NewDatabase
from tests.support import Platform
from tests.warehouse.doors import MARTS, Doors, session
from warehouse.doors.logins import ANALYSTS, TENANTS, Door, add_login, list_logins, remove_login
from warehouse.doors.roles import role_name
from warehouse.errors import DataInsightError

BOTH = pytest.mark.parametrize("door", [TENANTS, ANALYSTS], ids=lambda door: door.command)


def unheard_of(name: str) -> str:
    """A name whose login nobody else has: logins are the server's, where other workers make theirs, too."""
    return f"{name} {uuid.uuid4().hex[:12]}"


@pytest.mark.parametrize(
    ("name", "login"),
    [
        ("acme", "org_acme"),
        ("Acme Inc.", "org_acme_inc"),
        ("  spaced  out ", "org_spaced_out"),
        ("Æther Größe Ünïté", "org_ther_grosse_unite"),
        ('o\'brien "x"; drop role y --', "org_o_brien_x_drop_role_y"),
        ("x" * 300, "org_" + "x" * 50),
        ("株式会社", "org_e6843c6eb529"),
        ("🙂", "org_d06f1525f791"),
        ("--", "org_d8156bae0c42"),
    ],
)
def test_a_login_is_called_after_whom_it_is_for(name: str, login: str) -> None:
    made = role_name("org", name)
    assert made == login
    assert len(made.encode()) < 60


@BOTH
def test_a_login_works_at_once_and_is_gone_when_it_is_taken(bare_doors: Doors, door: Door) -> None:
    name = unheard_of("Acme Inc.")
    login, url = bare_doors.add(door, name)
    with session(url) as opened:
        assert opened.value("select current_user") == login
        (known,) = list_logins(bare_doors.warehouse, door)
        assert (known.name, known.login, known.can_log_in, known.connections) == (name, login, True, 1)
        assert known.to_dict(door)[door.key] == name

        assert remove_login(bare_doors.warehouse, door, name) == login
        with pytest.raises(psycopg2.OperationalError):
            opened.rows("select 1")
    with pytest.raises(psycopg2.OperationalError, match="authentication failed"), session(url):
        pass
    assert list_logins(bare_doors.warehouse, door) == []
    again, other_url = bare_doors.add(door, name)
    assert again == login
    assert other_url != url


@BOTH
def test_a_password_is_kept_nowhere(bare_doors: Doors, door: Door) -> None:
    login, url = bare_doors.add(door, "acme")
    password = sa.make_url(url).password
    assert password
    assert len(password) > 24
    with bare_doors.operator() as operator:
        stored = operator.value(f"select rolpassword from pg_authid where rolname = '{login}'")
        assert stored.startswith("SCRAM-SHA-256$")
        assert operator.value(f"select rolcanlogin and not (rolsuper or rolcreaterole or rolcreatedb or rolreplication"
                              f" or rolbypassrls) from pg_roles where rolname = '{login}'")  # fmt: skip


@BOTH
@pytest.mark.parametrize("name", ["株式会社 Ω", 'o\'brien "x" \\ %s {0} :name', "\uff21\uff23\uff2d\uff25", "x" * 300])
def test_a_name_in_any_script_has_a_login(bare_doors: Doors, door: Door, name: str) -> None:
    login, url = bare_doors.add(door, name)
    with session(url) as opened:
        assert opened.value("select current_user") == login
    if door is TENANTS:
        with bare_doors.operator() as operator:
            assert operator.value(f"select app.current_organization('{login}')") == name
    assert remove_login(bare_doors.warehouse, door, name) == login


@BOTH
@pytest.mark.parametrize("name", ["", "   ", "\t\n", "a\0b", "\ud800"])
def test_what_is_no_name_is_refused(bare_doors: Doors, door: Door, name: str) -> None:
    for ask in (bare_doors.add, lambda door, name: remove_login(bare_doors.warehouse, door, name)):
        with pytest.raises(DataInsightError, match=f"the {door.whose} has no name|what no text can hold"):
            ask(door, name)


@pytest.mark.parametrize("name", ["(unknown)", "(operator)"])
def test_what_stands_for_no_organization_has_no_login(bare_doors: Doors, name: str) -> None:
    with pytest.raises(DataInsightError, match="rows that belong to no organization"):
        bare_doors.add(TENANTS, name)
    with bare_doors.operator() as operator, pytest.raises(psycopg2.errors.CheckViolation):
        operator.rows("insert into app.tenants (organization_id, login) values (%s, 'x')", [name])


@BOTH
def test_who_has_a_login_gets_no_second(bare_doors: Doors, door: Door) -> None:
    bare_doors.add(door, "acme")
    with pytest.raises(DataInsightError, match="has a login already") as caught:
        bare_doors.add(door, "acme ")
    assert f"{door.command} remove" in str(caught.value.hint)
    with pytest.raises(DataInsightError, match="'bolt' has no login"):
        remove_login(bare_doors.warehouse, door, "bolt")


def test_names_that_read_alike_are_told_apart(bare_doors: Doors) -> None:
    name = unheard_of("acme")
    login = role_name("org", name)
    logins = [bare_doors.add(TENANTS, alike)[0] for alike in (name, name.upper(), name.title() + "!", f"{name}_")]
    assert logins == [login, f"{login}_2", f"{login}_3", f"{login}_4"]
    with bare_doors.operator() as operator:
        assert operator.value(f"select app.current_organization('{login}_2')") == name.upper()


def test_a_login_of_another_warehouse_of_the_server_is_another(bare_doors: Doors) -> None:
    name = unheard_of("acme")
    taken = role_name("org", name)
    with bare_doors.operator() as operator:
        operator.rows(f"create role {taken} login password 'x' in role tenant")
    try:
        login, url = bare_doors.add(TENANTS, name)
        assert login == f"{taken}_2"
        bare_doors.build("marts.fact_sales", MARTS["marts.fact_sales"].replace("'acme'", f"'{name}'"))
        bare_doors.build("marts.dim_days")
        with session(url) as own:
            assert own.value("select count(*) from fact_sales") == 50
        with session(str(bare_doors.warehouse.url_object.set(drivername="postgresql", username=taken, password="x")
                         .render_as_string(hide_password=False))) as foreign:  # fmt: skip
            assert foreign.value("select count(*) from marts.fact_sales") == 0
            assert foreign.value("select count(*) from marts.dim_days") == 0
    finally:
        with bare_doors.operator() as operator:
            operator.rows(f"drop role {taken}")


def together(count: int, work: Any) -> tuple[list[Any], list[DataInsightError]]:
    """What several threads that start at once return and raise."""
    done: list[Any] = []
    refused: list[DataInsightError] = []
    start = threading.Barrier(count)

    def one(number: int) -> None:
        start.wait()
        try:
            done.append(work(number))
        except DataInsightError as error:
            refused.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done, refused


@BOTH
def test_two_who_add_the_same_at_once_make_one(bare_doors: Doors, door: Door) -> None:
    done, refused = together(4, lambda _: bare_doors.add(door, "acme"))
    assert (len(done), len(refused)) == (1, 3)
    assert all("has a login already" in error.message for error in refused)
    with session(done[0][1]) as opened:
        assert opened.value("select 1") == 1


def test_two_who_add_what_reads_alike_at_once_make_two(bare_doors: Doors) -> None:
    name = unheard_of("acme")
    login = role_name("org", name)
    done, refused = together(4, lambda number: bare_doors.add(TENANTS, name + "!" * number))
    assert sorted(made for made, _ in done) == [login, f"{login}_2", f"{login}_3", f"{login}_4"]
    assert not refused


@BOTH
def test_a_login_whose_role_got_lost_can_be_made_again(bare_doors: Doors, door: Door) -> None:
    name = unheard_of("acme")
    login, _ = bare_doors.add(door, name)
    with bare_doors.operator() as operator:
        operator.rows(f"drop role {login}")
    (known,) = list_logins(bare_doors.warehouse, door)
    assert not known.can_log_in
    again, url = bare_doors.add(door, name)
    assert again == login
    with session(url) as opened:
        assert opened.value("select 1") == 1


def test_what_a_login_was_given_by_hand_goes_with_it(bare_doors: Doors) -> None:
    login, _ = bare_doors.add(TENANTS, "acme")
    with bare_doors.operator() as operator:
        database = operator.value("select current_database()")
        operator.rows(f"grant temporary on database {database} to {login}")
        operator.rows(f"create schema mine authorization {login}")
    assert remove_login(bare_doors.warehouse, TENANTS, "acme") == login


@BOTH
def test_a_login_that_cannot_be_dropped_is_of_no_use(bare_doors: Doors, door: Door) -> None:
    name = unheard_of("acme")
    login, url = bare_doors.add(door, name)
    with NewDatabase(bare_doors.warehouse.url_object) as other, session(url) as opened:
        elsewhere = sa.create_engine(bare_doors.warehouse.url_object.set(database=other))
        with elsewhere.begin() as connection:
            connection.exec_driver_sql(f"create schema mine authorization {login}")
        elsewhere.dispose()
        with pytest.raises(DataInsightError, match=f"{login} can log in no more and reads nothing, .*database {other}"):
            remove_login(bare_doors.warehouse, door, name)
        with pytest.raises(psycopg2.OperationalError):
            opened.rows("select 1")
        with pytest.raises(psycopg2.OperationalError, match="not permitted to log in"), session(url):
            pass
        (known,) = list_logins(bare_doors.warehouse, door)
        assert not known.can_log_in
        with bare_doors.operator() as operator:
            assert not operator.value(f"select pg_has_role('{login}', '{door.group}', 'member')")
    assert remove_login(bare_doors.warehouse, door, name) == login
    assert list_logins(bare_doors.warehouse, door) == []


def test_the_url_keeps_the_tls_options_of_the_warehouse(bare_doors: Doors) -> None:
    given = bare_doors.warehouse.url_object.update_query_dict({"sslmode": "prefer", "options": "-c search_path=ops"})
    made = add_login(type(bare_doors.warehouse)(given), bare_doors.settings, ANALYSTS, "maria")
    assert made.url.endswith("?sslmode=prefer")
    with session(made.url) as opened:
        assert opened.value("show search_path") == "marts, metrics"


def test_the_commands(bare_doors: Doors, tmp_path: Path) -> None:
    assert bare_doors.settings.database_url is not None
    run = Platform(tmp_path, {"DATAINSIGHT_DATABASE_URL": bare_doors.settings.database_url.get_secret_value()})

    name, analyst = unheard_of("Acme Inc."), unheard_of("maria")
    made = run("tenants", "add", name, "--json")
    assert f"no rows of '{name}' yet" in made.stderr
    added = run.json("tenants", "add", "株式会社")
    assert added.keys() == {"organization_id", "login", "url"}
    with session(added["url"]) as opened:
        assert opened.value("select current_user") == added["login"]
    assert [one["organization_id"] for one in run.json("tenants", "list")["tenants"]] == [name, "株式会社"]
    refused = run("tenants", "add", name)
    assert refused.returncode == 1
    login = role_name("org", name)
    assert login.startswith("org_acme_inc_")
    assert f"has a login already: {login}" in refused.stderr
    assert "hint: " in refused.stderr
    assert run.json("tenants", "remove", name) == {"organization_id": name, "login": login}

    assert run.json("analysts", "add", analyst).keys() == {"name", "login", "url"}
    login = role_name("analyst", analyst)
    assert login.startswith("analyst_maria_")
    assert login in run("analysts", "list").stdout
    assert f"{login} is removed" in run("analysts", "remove", analyst).stdout
    assert "no logins" in run("analysts", "list").stdout
    assert run("tenants", "add").returncode == 2

    # What was refused was not done.
    with bare_doors.warehouse.engine().connect() as connection:
        written = connection.execute(
            sa.text(
                "select action, organization_id, coalesce(details ->> 'organization_id', details ->> 'name')"
                " from app.audit_log where actor = 'command' and details ? 'login' order by audit_id"
            )
        )
        assert [tuple(row) for row in written] == [
            ("tenants.add", name, name),
            ("tenants.add", "株式会社", "株式会社"),
            ("tenants.remove", name, name),
            ("analysts.add", None, analyst),
            ("analysts.remove", None, analyst),
        ]
