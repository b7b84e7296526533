"""An erasure the whole way: nothing tells of the person any more, and every number is what it was."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from orchestration.erasing import erase_ordered
from serving.http.app import create_app
from serving.identity.people import add_person
from serving.identity.roles import Role
from serving.privacy.erasures import list_erasures, request_erasure
from serving.privacy.person import find_person
from serving.snapshots import latest_snapshot
from tests.orchestration.conftest import SOURCES, Company, SavedCompany, saved_company
from tests.serving.http.conftest import Server, running, until
from tests.serving.http.people import post
from warehouse.connect import open_warehouse
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError
from warehouse.settings import Settings

ADA, LOGIN = "ada@example.com", "user3"
METRICS = ("user_actions", "active_users", "sessions")


def _event(name: str, **given: Any) -> dict[str, Any]:
    said = {"user_id": ADA, "action": "looked", "occurred_at": "2024-03-05T10:00:00Z", "properties": {"of": ADA}}
    return {"event_id": name, **said, **given}


def settings_of(company: Company) -> Settings:
    """The settings of the company, as its commands have them; a question may take a second, and so may its end."""
    return Settings(
        database_url=SecretStr(company.environment["DATAINSIGHT_DATABASE_URL"]),
        home=Path(company.environment["DATAINSIGHT_HOME"]),
        sources=Path(company.environment["DATAINSIGHT_SOURCES"]),
        query_seconds=1,
        erasures="by_command",
    )


def report(company: Company) -> None:
    """Let the company's applications report what Ada and others did, and land it."""
    company.environment["DATAINSIGHT_QUERY_SECONDS"] = "1"
    company.environment["DATAINSIGHT_ERASURES"] = "by_command"
    (company.folder / "sources.yaml").write_text(SOURCES + "  platform: {kind: platform}\n")
    settings = settings_of(company)
    with open_warehouse(settings) as warehouse, running(create_app(settings)) as address:
        server = Server(address, warehouse)
        for organization in ("A-1", "A-2"):
            events = [
                _event("e-1"),
                _event("e-2", user_id="bea", properties={"of": "bea"}),
                _event("e-3", action="left"),
            ]
            answer = post(server, "/analytics/events", {"events": events}, server.key(organization, Role.EDITOR))
            assert answer.status_code == 202, answer.text
        add_person(warehouse, ADA, Role.VIEWER, "A-1", name="Ada Byron", actor="test")
    company.first = company.run()


@pytest.fixture(scope="module")
def _reported(server_url: sa.URL, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SavedCompany]:
    with saved_company(server_url, _template, tmp_path_factory.mktemp("reported"), report) as saved:
        yield saved


@pytest.fixture
def company(_reported: SavedCompany) -> Iterator[Company]:
    """The company, whose applications have reported what Ada and others did, which has landed."""
    with _reported.put_back() as company:
        yield company


@pytest.fixture
def settings(company: Company) -> Settings:
    """Its settings."""
    return settings_of(company)


def tables_that_tell(warehouse: Warehouse, said: str) -> list[str]:
    """Every table of the database in one of whose rows a text occurs."""
    with warehouse.engine().connect() as connection:
        tables = connection.execute(
            sa.text(
                "select format('%I.%I', nspname, relname) from pg_class"
                " inner join pg_namespace on pg_namespace.oid = relnamespace"
                " where relkind in ('r', 'm') and nspname not in ('pg_catalog', 'information_schema', 'pg_toast')"
                " order by 1"
            )
        ).scalars()
        return [
            table
            for table in tables.all()
            if connection.execute(
                sa.text(f"select exists (select from {table} as t where strpos(cast(t as text), :said) > 0)"),
                {"said": said},
            ).scalar_one()
        ]


def files_that_tell(home: Path, said: str) -> list[str]:
    """Every file of the home folder in which a text occurs, those of the metric store by their rows."""
    import pyarrow.parquet as pq

    found = []
    for path in sorted(one for one in home.rglob("*") if one.is_file()):
        told = str(pq.read_table(path, partitioning=None).to_pylist()).encode() if path.suffix == ".parquet" else b""
        if said.encode() in told or said.encode() in path.read_bytes():
            found.append(str(path.relative_to(home)))
    return found


def hashes(warehouse: Warehouse) -> dict[str, str]:
    """What each mart holds, whatever the order; the questions that were asked meanwhile are no part of it."""
    found = {}
    with warehouse.engine().connect() as connection:
        marts = connection.execute(
            sa.text(
                "select mart from app.policy where to_regclass('marts.' || mart) is not null"
                " and mart <> 'fact_metric_queries' order by mart"
            )
        ).scalars()
        for mart in marts.all():
            schema = "personal" if mart == "dim_users" else "marts"
            rows = connection.execute(sa.text(f"select cast(t as text) from {schema}.{mart} as t")).scalars()
            found[mart] = hashlib.sha256("\n".join(sorted(rows.all())).encode()).hexdigest()
    return found


def numbers(company: Company) -> list[Any]:
    return [
        company.metric(metric, "--by", "metric_time", *where)
        for metric in METRICS
        for where in ([], ["--organization", "A-1"], ["--organization", "A-2"])
    ]


def test_after_an_erasure_nothing_tells_of_the_person_and_every_number_is_what_it_was(
    company: Company, settings: Settings
) -> None:
    before = numbers(company)
    with open_warehouse(settings) as warehouse:
        for said in (ADA, LOGIN):
            assert {"raw_platform.events" if said == ADA else "raw_github.events", "personal.dim_users"} <= set(
                tables_that_tell(warehouse, said)
            )
            assert files_that_tell(settings.home / "metric_store", said)
        company.json("privacy", "request", "--email", ADA)
        company.json("privacy", "request", "--user-id", LOGIN)
        done = company.json("privacy", "erase")["erasures"]
        assert [one["state"] for one in done] == ["done", "done"]
        assert done[0]["touched"]["rows"]["raw_platform.events"] == 4
        assert done[0]["touched"]["rows"]["app.events"] == 4
        assert done[0]["touched"]["rows"]["app.users"] == 1
        assert done[1]["touched"]["rows"] == {"raw_github.events": 2}
        assert done[0]["touched"]["undeclared"] == []

        for said in (ADA, "Ada Byron", LOGIN):
            assert tables_that_tell(warehouse, said) == [], said
            assert files_that_tell(settings.home, said) == [], said
        assert numbers(company) == before

        # The star is what it would be if it were made of raw again, and the next pass has nothing to do.
        held = hashes(warehouse)
        assert company.fork("dbt", "run", "--full-refresh").wait() == 0
        assert hashes(warehouse) == held
        again = company.run()
        assert (again["rows_landed"], again["models"], again["snapshot"]["published"]) == (0, 0, False)
        assert company.json("privacy", "erase") == {"erasures": []}
        with warehouse.engine().connect() as connection:
            assert (
                connection.execute(sa.text("select count(*) from app.erasures where sealed is not null")).scalar() == 0
            )


def test_within_one_organization_the_others_rows_stay(company: Company) -> None:
    company.json("privacy", "request", "--email", ADA, "--organization", "A-1")
    (done,) = company.json("privacy", "erase")["erasures"]
    assert done["touched"]["rows"]["raw_platform.events"] == 2
    by_login = ("user_actions", "--where", f"user__login={ADA}")
    assert company.metric(*by_login, "--organization", "A-1") in ([], [[None]], [[0]])
    assert company.metric(*by_login, "--organization", "A-2") == [[2]]


def test_what_was_interrupted_goes_on_at_the_next_call(company: Company, settings: Settings) -> None:
    company.json("privacy", "request", "--email", ADA)

    def killed(line: str) -> None:
        if line.startswith("making"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        erase_ordered(settings, killed)
    (half,) = company.json("privacy", "list")["erasures"]
    assert half["state"] == "erased"
    with open_warehouse(settings) as warehouse:
        assert "raw_platform.events" not in tables_that_tell(warehouse, ADA)
        assert "personal.dim_users" in tables_that_tell(warehouse, ADA)
        (done,) = erase_ordered(settings)
        assert done.state == "done"
        assert tables_that_tell(warehouse, ADA) == []
        assert files_that_tell(settings.home, ADA) == []


def test_why_it_could_not_be_done_stands_with_the_order(company: Company, settings: Settings) -> None:
    ordered = company.json("privacy", "request", "--email", ADA)
    elsewhere = settings.model_copy(update={"secret_key": SecretStr("another secret of the platform, long")})
    done = company("privacy", "list")
    assert ordered["erasure_id"] in done.stdout
    with pytest.raises(Exception, match="sealed by another secret"):
        erase_ordered(elsewhere)
    with open_warehouse(settings) as warehouse:
        with warehouse.engine().begin() as connection:
            connection.exec_driver_sql("alter table app.events rename to events_elsewhere")
        with pytest.raises(sa.exc.SQLAlchemyError):
            erase_ordered(settings)
        (half,) = company.json("privacy", "list")["erasures"]
        assert (half["state"], 'relation "app.events" does not exist' in half["trouble"]) == ("requested", True)
        with warehouse.engine().begin() as connection:
            connection.exec_driver_sql("alter table app.events_elsewhere rename to events")
        (done_now,) = erase_ordered(settings)
        assert (done_now.state, done_now.trouble) == ("done", None)


def state_of_orders(warehouse: Warehouse) -> list[str]:
    with warehouse.engine().connect() as connection:
        return [one.state for one in list_erasures(connection, None)]


def served(warehouse: Warehouse) -> int | None:
    with warehouse.engine().connect() as connection:
        found = latest_snapshot(connection)
    return None if found is None else found.snapshot_id


def test_an_order_that_cannot_be_read_keeps_no_other_waiting(company: Company, settings: Settings) -> None:
    elsewhere = settings.model_copy(update={"secret_key": SecretStr("another secret of the platform, long")})
    with open_warehouse(settings) as warehouse:
        before = served(warehouse)
        with warehouse.engine().begin() as connection:
            person = find_person(connection, user_id=None, email="nobody@example.com", organization_id=None)
            request_erasure(connection, elsewhere, person, actor="test")
        company.json("privacy", "request", "--user-id", "nobody")
        with pytest.raises(DataInsightError, match="sealed by another secret"):
            erase_ordered(settings)
        newest, oldest = company.json("privacy", "list")["erasures"]
        assert (oldest["state"], "sealed by another secret" in oldest["trouble"]) == ("requested", True)
        assert (newest["state"], newest["trouble"], newest["touched"]) == ("done", None, {"undeclared": []})
        # Of nobody there was nothing to erase, so nothing was made anew.
        assert served(warehouse) == before
        assert company("privacy", "erase").returncode == 1
        # With the former secret it goes on.
        (done,) = erase_ordered(elsewhere)
        assert (done.erasure_id, done.state, done.trouble) == (oldest["erasure_id"], "done", None)


def test_a_server_goes_on_with_what_was_ordered_before_it_started(company: Company, settings: Settings) -> None:
    company.json("privacy", "request", "--user-id", "nobody")
    with open_warehouse(settings) as warehouse:
        with running(create_app(settings)):
            assert state_of_orders(warehouse) == ["requested"]
        with running(create_app(settings.model_copy(update={"erasures": "at_once"}))):
            until(lambda: state_of_orders(warehouse) == ["done"], seconds=120)


@pytest.mark.usefixtures("company")
def test_the_api_starts_the_command_and_answers_from_nothing_older(settings: Settings) -> None:
    at_once = settings.model_copy(update={"erasures": "at_once"})
    with open_warehouse(settings) as warehouse, running(create_app(at_once)) as address:
        server = Server(address, warehouse)
        with server.client(server.key("A-1", Role.ADMIN)) as client:
            asked = {"group_by": ["user__login"]}
            before = client.answer("user_actions", **asked)
            assert ADA in str(before["rows"])
            answer = client.http.post("/api/v1/privacy/erasures", json={"email": ADA})
            assert answer.status_code == 202, answer.text
            path = f"/privacy/erasures/{answer.json()['erasure_id']}"
            until(lambda: client.get(path).json()["state"] == "done", seconds=300)
            after = client.answer("user_actions", **asked)
            assert ADA not in str(after["rows"])
            assert sorted(row[-1] for row in after["rows"]) == sorted(row[-1] for row in before["rows"])
            assert after["trust"]["snapshot_id"] > before["trust"]["snapshot_id"]
