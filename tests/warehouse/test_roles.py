"""What each role may do, asked of PostgreSQL itself."""

import pytest
import sqlalchemy as sa

from warehouse.database import ANALYST, API, LOADER, TRANSFORMER, Warehouse


@pytest.fixture
def filled(warehouse: Warehouse) -> Warehouse:
    with warehouse.engine(LOADER).begin() as connection:
        connection.execute(sa.text("create schema raw_saas"))
        connection.execute(sa.text("create table raw_saas.accounts (account_id text)"))
    with warehouse.engine(TRANSFORMER).begin() as connection:
        connection.execute(sa.text("create table marts.dim_things (thing_id int)"))
        connection.execute(sa.text("create table staging.stg_things (thing_id int)"))
    return warehouse


ALLOWED = [
    (TRANSFORMER, "select from raw_saas.accounts"),
    (TRANSFORMER, "select from ops.batches"),
    (TRANSFORMER, "select from ops.quarantine"),
    (ANALYST, "select from marts.dim_things"),
    (API, "select from marts.dim_things"),
    (API, "select from ops.snapshots"),
]
FORBIDDEN = [
    (LOADER, "select from marts.dim_things"),
    (LOADER, "select from ops.batches"),
    (TRANSFORMER, "delete from raw_saas.accounts"),
    (TRANSFORMER, "update ops.batches set status = 'admitted'"),
    (ANALYST, "select from raw_saas.accounts"),
    (ANALYST, "select from staging.stg_things"),
    (ANALYST, "select from ops.quarantine"),
    (ANALYST, "delete from marts.dim_things"),
    (API, "select from raw_saas.accounts"),
    (API, "insert into marts.dim_things values (1)"),
]


@pytest.mark.parametrize(("role", "statement"), ALLOWED)
def test_a_role_may_do_its_work(filled: Warehouse, role: str, statement: str) -> None:
    with filled.engine(role).connect() as connection:
        connection.execute(sa.text(statement))


@pytest.mark.parametrize(("role", "statement"), FORBIDDEN)
def test_a_role_may_do_no_more(filled: Warehouse, role: str, statement: str) -> None:
    with filled.engine(role).connect() as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        connection.execute(sa.text(statement))
