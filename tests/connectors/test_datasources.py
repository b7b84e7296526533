"""Sources that organizations have added, read from the warehouse, and held to what they may reach."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.dialects.postgresql import JSONB

from connectors.config import find_source
from connectors.datasources import load_datasources, load_source
from connectors.inspection import check, discover
from connectors.landing.land import land
from connectors.rest.held import held_pools
from warehouse.database import Warehouse
from warehouse.datasources import Secrets, sealed, upload_folder
from warehouse.errors import DataInsightError
from warehouse.reach import Reach
from warehouse.settings import Settings

ONE, OTHER = "ds_0000000000000001", "ds_0000000000000002"
SECRET = "hunter2-is-a-secret"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Of an installation whose datasources may reach one address of this machine."""
    (tmp_path / "sources.yaml").write_text("sources:\n  shop: {kind: demo, dataset: github_events}\n")
    changes = {"source_networks": ("127.0.0.1/32",), "sources": tmp_path / "sources.yaml"}
    return settings.model_copy(update=changes)


def add(
    warehouse: Warehouse,
    settings: Settings,
    kind: str,
    configuration: dict[str, Any],
    secrets: Secrets | None = None,
    *,
    datasource_id: str = ONE,
    is_uploaded: bool = False,
) -> None:
    """Write the row of a datasource of `acme`, as the HTTP API does."""
    with warehouse.engine().begin() as connection:
        connection.execute(
            sa.text(
                "insert into app.datasources (datasource_id, organization_id, name, kind, configuration,"
                " secrets_encrypted, is_uploaded, created_by) values (:id, 'acme', 'x', :kind, :configuration, :sealed,"
                " :is_uploaded, 'test')"
            ).bindparams(sa.bindparam("configuration", type_=JSONB)),
            {
                "id": datasource_id,
                "kind": kind,
                "configuration": configuration,
                "sealed": sealed(settings, datasource_id, secrets) if secrets else None,
                "is_uploaded": is_uploaded,
            },
        )


@contextmanager
def answering(
    redirect: str | None = None, body: bytes = b'[{"id": 1}, {"id": 2}]', encoding: str | None = None
) -> Iterator[str]:
    """The address of an API that has two things, or gives another answer, or says that they are elsewhere."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302 if redirect else 200)
            if redirect:
                self.send_header("Location", redirect)
            if encoding:
                self.send_header("Content-Encoding", encoding)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name.
            pass

    # On every address of this machine, of which one may be reached.
    with ThreadingHTTPServer(("0.0.0.0", 0), Answer) as server:  # noqa: S104
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def api(address: str, **endpoint: Any) -> dict[str, Any]:
    return {
        "definition": {
            "client": {"base_url": address},
            "tables": {"things": {"key": "id", "endpoint": {"path": "/things", **endpoint}}},
        },
        "retries": 0,
    }


def test_an_api_is_read_and_lands(warehouse: Warehouse, settings: Settings) -> None:
    with answering() as address:
        add(warehouse, settings, "rest", api(address))
        source = load_source(settings, ONE)
        assert (source.name, source.organization, source.schema_name) == (ONE, "acme", f"raw_{ONE}")
        [batch_id] = land(source, warehouse, settings.home)
    with warehouse.engine().connect() as connection:
        assert connection.execute(sa.text(f"select id from raw_{ONE}.things order by id")).scalars().all() == ["1", "2"]
        source_of = sa.text("select source from ops.batches where batch_id = :id")
        assert connection.execute(source_of, {"id": batch_id}).scalar_one() == ONE


def test_an_api_out_of_reach_is_not_asked(warehouse: Warehouse, settings: Settings) -> None:
    with answering() as address:
        add(warehouse, settings, "rest", api(address.replace("127.0.0.1", "127.0.0.2")))
        with pytest.raises(DataInsightError, match="at an address that this source may not reach"):
            land(load_source(settings, ONE), warehouse, settings.home)


def test_a_redirect_does_not_lead_out_of_reach(warehouse: Warehouse, settings: Settings) -> None:
    with answering() as inside, answering(redirect=inside.replace("127.0.0.1", "127.0.0.2")) as address:
        add(warehouse, settings, "rest", api(address))
        with pytest.raises(DataInsightError, match=r"127\.0\.0\.2 cannot be found, or is at an address"):
            land(load_source(settings, ONE), warehouse, settings.home)


def test_whom_the_connection_is_with_is_what_counts() -> None:
    with answering() as address:
        port = int(address.rpartition(":")[2])
        with (
            held_pools(Reach())["http"]("127.0.0.1", port) as pool,
            pytest.raises(DataInsightError, match="has led to"),
        ):
            pool.request("GET", "/", retries=False)
        with held_pools(Reach(("127.0.0.1/32",)))["http"]("127.0.0.1", port) as pool:
            assert pool.request("GET", "/", retries=False).status == 200


def test_a_database_lands_by_the_address_that_was_looked_at(
    warehouse: Warehouse, settings: Settings, database: sa.URL
) -> None:
    with warehouse.engine().begin() as connection:
        connection.execute(sa.text("create table public.things as select 1 as id, 'one' as name"))
    url = database.set(drivername="postgresql").render_as_string(hide_password=False)
    configuration = {"url": "***", "tables": {"things": {"table": "public.things", "key": "id"}}}
    add(warehouse, settings, "database", configuration, {("url",): url})
    source: Any = load_source(settings, ONE)
    assert source.address.url.query["hostaddr"] == "127.0.0.1"
    assert [table["problem"] for table in check(source)] == [None]
    land(source, warehouse, settings.home)
    with warehouse.engine().connect() as connection:
        assert connection.execute(sa.text(f"select name from raw_{ONE}.things")).scalars().all() == ["one"]


@pytest.mark.parametrize("url", ["postgresql://a:b@127.0.0.2/x", "mysql://a:b@localhost.localdomain/x"])
def test_a_database_out_of_reach_is_not_connected_to(warehouse: Warehouse, settings: Settings, url: str) -> None:
    add(warehouse, settings, "database", {"url": "***", "tables": {"a": {}}}, {("url",): url})
    with pytest.raises(DataInsightError, match="at an address that this source may not reach"):
        check(load_source(settings, ONE))


@pytest.mark.parametrize("url", ["sqlite:////etc/hosts", "postgresql:///x"])
def test_a_database_of_this_machine_is_no_datasource(warehouse: Warehouse, settings: Settings, url: str) -> None:
    # The HTTP API takes none such; it is refused here, too, whoever has written the row.
    add(warehouse, settings, "database", {"url": "***", "tables": {"a": {}}}, {("url",): url})
    with pytest.raises(DataInsightError, match="its url is none that an organization's source may have"):
        check(load_source(settings, ONE))


def test_tables_need_not_be_chosen_to_be_discovered(warehouse: Warehouse, settings: Settings, database: sa.URL) -> None:
    url = database.set(drivername="postgresql").render_as_string(hide_password=False)
    add(warehouse, settings, "database", {"url": "***", "schema": "ops"}, {("url",): url})
    with pytest.raises(DataInsightError, match="names no table"):
        load_source(settings, ONE)
    found = discover(load_source(settings, ONE, draft=True))
    assert "batches" in {table["table_name"] for table in found}


def test_files_that_were_uploaded_land_once(warehouse: Warehouse, settings: Settings) -> None:
    folder = upload_folder(settings.home, "acme", ONE) / "orders"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("order_id,amount\n1,2\n2,3\n")
    add(warehouse, settings, "files", {"tables": {"orders": {"format": "csv"}}}, is_uploaded=True)
    source = load_source(settings, ONE)
    assert len(land(source, warehouse, settings.home)) == 1
    assert land(source, warehouse, settings.home) == []


def test_variables_of_the_platform_mean_nothing(
    warehouse: Warehouse, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORM_SECRET", SECRET)
    add(warehouse, settings, "rest", api("http://${PLATFORM_SECRET}.example.com"))
    with pytest.raises(DataInsightError) as raised:
        check(load_source(settings, ONE))
    assert SECRET not in f"{raised.value}{raised.value.hint}"


def test_a_mistake_names_the_key_and_no_secret(warehouse: Warehouse, settings: Settings) -> None:
    configuration = {"catalog": "stripe", "parameters": {"api_kee": "***"}}
    add(warehouse, settings, "rest", configuration, {("parameters", "api_kee"): SECRET})
    with pytest.raises(DataInsightError, match=f"source {ONE}.*api_kee") as raised:
        load_source(settings, ONE)
    assert SECRET not in f"{raised.value}{raised.value.hint}"


def test_one_that_cannot_be_used_stops_no_other(warehouse: Warehouse, settings: Settings) -> None:
    with_another_key = settings.model_copy(update={"secret_key": SecretStr("j" * 40)})
    secret = {"catalog": "stripe", "parameters": {"api_key": "***"}}
    add(warehouse, with_another_key, "rest", secret, {("parameters", "api_key"): SECRET})
    add(warehouse, settings, "rest", secret, {("parameters", "api_key"): SECRET}, datasource_id=OTHER)
    usable, left_out = load_datasources(settings, warehouse)
    assert [source.name for source in usable] == [OTHER]
    assert "cannot be decrypted" in left_out[ONE].message
    assert SECRET not in repr(find_source(usable, OTHER))


def test_deleted_ones_are_not_there(warehouse: Warehouse, settings: Settings) -> None:
    add(warehouse, settings, "rest", api("https://api.example.com"))
    with warehouse.engine().begin() as connection:
        connection.execute(sa.text("update app.datasources set deleted_at = now()"))
    assert load_datasources(settings, warehouse) == ([], {})
    with pytest.raises(DataInsightError, match=f"there is no datasource {ONE}"):
        load_source(settings, ONE)


def test_sources_of_the_file_are_found_as_before(settings: Settings) -> None:
    source = load_source(settings, "shop")
    assert (source.organization, source.reach) == (None, None)
