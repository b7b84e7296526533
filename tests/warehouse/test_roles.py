"""What each role may do, asked of PostgreSQL itself."""

import pytest
import sqlalchemy as sa

from warehouse.database import ANALYST, API, LOADER, TENANT, TRANSFORMER, Warehouse


@pytest.fixture
def filled(warehouse: Warehouse) -> Warehouse:
    with warehouse.engine(LOADER).begin() as connection:
        connection.execute(sa.text("create schema raw_saas"))
        connection.execute(sa.text("create table raw_saas.accounts (account_id text)"))
    with warehouse.engine(TRANSFORMER).begin() as connection:
        connection.execute(sa.text("create table marts.dim_things (thing_id int)"))
        connection.execute(sa.text("create table personal.dim_people (person_id int)"))
        connection.execute(sa.text("create table partitions.fact_things_2024 (thing_id int)"))
        connection.execute(sa.text("create table staging.stg_things (thing_id int)"))
    return warehouse


ALLOWED = [
    (TRANSFORMER, "select from raw_saas.accounts"),
    (TRANSFORMER, "select from ops.batches"),
    (TRANSFORMER, "select from ops.quarantine"),
    (TRANSFORMER, "create temporary table passing (thing_id int)"),
    (LOADER, "create temporary table passing (thing_id int)"),
    (API, "select from marts.dim_things"),
    (API, "select from personal.dim_people"),
    (API, "select from ops.snapshots"),
]
# What is fresh is served to nobody until the policy was put on it.
DOORS = [
    (role, statement)
    for role in (ANALYST, TENANT)
    for statement in (
        "select from marts.dim_things",
        "select from personal.dim_people",
        "select from partitions.fact_things_2024",
        "select from raw_saas.accounts",
        "select from staging.stg_things",
        "select from ops.batches",
        "select from ops.quarantine",
        "select from app.tenants",
        "select from app.policy",
        "select from app.mask_salt",
        "select app.current_organization('analyst')",
        "select app.mask('x')",
        "create table marts.mine (x int)",
        "create table public.mine (x int)",
        "create temporary table mine (x int)",
        "create schema mine",
        "select lo_create(0)",
        "select lo_creat(0)",
        "select lo_from_bytea(0, 'x')",
        "select pg_notify('channel', 'x')",
        "select pg_logical_emit_message(false, 'prefix', 'x')",
        "select pg_logical_emit_message(false, 'prefix', cast('x' as bytea))",
        "select pg_export_snapshot()",
    )
]
FORBIDDEN = [
    *DOORS,
    (LOADER, "select from marts.dim_things"),
    (LOADER, "select from ops.batches"),
    (TRANSFORMER, "delete from raw_saas.accounts"),
    (TRANSFORMER, "update ops.batches set status = 'admitted'"),
    (ANALYST, "delete from marts.dim_things"),
    (TENANT, "delete from marts.dim_things"),
    (API, "create temporary table mine (x int)"),
    (TRANSFORMER, "select from app.tenants"),
    (TRANSFORMER, "select from app.mask_salt"),
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
