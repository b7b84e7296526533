"""Superset as an organization's BI tool: it finds documented marts, draws the metrics' figures, sees no other's rows.

Superset stays out of the lock, because it needs an older SQLAlchemy than the platform. `make superset` installs it into
an environment of its own and runs these tests; from then on they are run with all the others.
"""

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.bi.conftest import Tenant
from tests.bi.recipes import RECIPES
from tests.bi.superset import Superset
from tests.support import Platform
from warehouse.settings import PROJECT_ROOT

PROGRAM = PROJECT_ROOT / ".venv-superset" / "bin" / "superset"
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="Superset is not there: make superset")

# The charts that the page promises: metric, relation, its column of time, and the measure.
CHARTS = re.findall(
    r"^\| `(\w+)` \| `([^`]+)` \| `(\w+)` \| `([^`]+)` \|$",
    (RECIPES / "superset.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
assert CHARTS, "a test over no charts would be skipped"


@pytest.fixture(scope="module")
def superset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    with Superset(PROGRAM, tmp_path_factory.mktemp("superset")) as running:
        yield running


@pytest.fixture(scope="module")
def warehouse(superset: Superset, tenant: Tenant) -> int:
    """The id under which Superset knows the warehouse, with the organization's login."""
    return superset.connect(tenant.url)


def readable(tenant: Tenant, schema: str) -> list[str]:
    """The relations of `schema` that the organization's login may read, by PostgreSQL's own word."""
    engine = sa.create_engine(tenant.url.replace("postgresql:", "postgresql+psycopg2:", 1))
    with engine.connect() as connection:
        statement = "select table_name from information_schema.tables where table_schema = :schema"
        found = list(connection.execute(sa.text(statement), {"schema": schema}).scalars())
    engine.dispose()
    return found


@pytest.mark.parametrize("schema", ["marts", "metrics"])
def test_everything_a_tenant_may_read_is_listed_and_described(
    superset: Superset, warehouse: int, tenant: Tenant, schema: str
) -> None:
    names = readable(tenant, schema)

    assert names
    assert set(names) <= set(superset.tables(warehouse, schema))
    for name in names:
        table = superset.table(warehouse, schema, name)
        assert table["comment"], name
        assert not [column["name"] for column in table["columns"] if not column["comment"]], name


def test_a_fact_says_which_dimensions_it_joins(superset: Superset, warehouse: int) -> None:
    fact = superset.table(warehouse, "marts", "fact_organization_months")

    assert {"dim_organizations", "dim_plans"} <= {key["referred_table"] for key in fact["foreignKeys"]}


@pytest.mark.parametrize(("metric", "relation", "day", "measure"), CHARTS)
def test_a_chart_shows_what_the_metrics_command_answers(
    superset: Superset,
    warehouse: int,
    tenant: Tenant,
    platform: Platform,
    metric: str,
    relation: str,
    day: str,
    measure: str,
) -> None:
    drawn = superset.chart(superset.dataset(warehouse, *relation.split(".")), metric, day=day, measure=measure)

    asked = (metric, "--by", "metric_time", "--grain", "month", "--organization", tenant.organization_id)
    assert drawn
    assert drawn == [(month, value) for month, value in platform.metric(*asked)]


def test_only_the_organizations_own_rows_are_there(superset: Superset, warehouse: int, tenant: Tenant) -> None:
    owners = superset.sql(warehouse, "select distinct organization_id from marts.fact_subscriptions")

    assert owners.json()["data"] == [{"organization_id": tenant.organization_id}]


def test_the_warehouse_refuses_what_is_no_reading_of_marts(superset: Superset, warehouse: int) -> None:
    assert "permission denied" in superset.sql(warehouse, "select * from ops.batches").text
    assert "permission denied" in superset.sql(warehouse, "select * from raw_saas.accounts").text
    assert "read-only transaction" in superset.sql(warehouse, "create table public.mine (id integer)").text
