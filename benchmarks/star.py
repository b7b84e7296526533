"""A published star of user actions at scale: organizations with a long tail, as most companies' customers are."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg2

from orchestration.dbt import prepare_manifest
from serving.store import publish
from warehouse.connect import open_warehouse
from warehouse.database import TRANSFORMER, Warehouse
from warehouse.settings import Settings

ORGANIZATIONS = 500
DAYS = 730
FIRST_DAY = "2023-01-01"
LAST_DAY = "2024-12-30"

# Organization n has about 1/n of the first one's actions; n is drawn by the inverse of that curve.
_MARTS = """
create table marts.dim_organizations as
select
    'k' || n as organization_key, 'o' || n as organization_id, 'Organization ' || n as name,
    (array['US', 'DE', 'FR', 'UK', 'IN'])[n %% 5 + 1] as country,
    (array['tech', 'retail', 'health'])[n %% 3 + 1] as industry,
    'web' as referral_source, 'Pro' as account_plan_id
from generate_series(1, %(organizations)s) as n;
alter table marts.dim_organizations alter column organization_key set not null;

create table marts.dim_dates as
select cast(day as date) as date_day
from generate_series(timestamp '2022-01-01', timestamp '2025-12-31', interval '1 day') as days (day);

create table marts.fact_user_actions (
    user_action_id text not null, organization_key text not null, organization_id text not null, user_key text not null,
    user_id text not null, action_type text not null, action_date date not null, acted_at timestamptz not null,
    admission_seq bigint not null
) partition by range (action_date);
create temporary table arrived as select date '2023-01-01' + n as action_date from generate_series(0, %(days)s) as n;
select ops.add_month_partitions('marts.fact_user_actions', 'arrived', 'action_date');
insert into marts.fact_user_actions
select
    'a' || n, 'k' || organization, 'o' || organization, 'u' || organization || '-' || chance %% 400,
    'u' || organization || '-' || chance %% 400,
    (array['PushEvent', 'PushEvent', 'PushEvent', 'IssuesEvent', 'WatchEvent'])[chance %% 5 + 1],
    date '2023-01-01' + cast(n * %(days)s / %(rows)s as integer),
    timestamptz '2023-01-01 00:00+00' + n * (%(days)s * interval '1 day' / %(rows)s), 1
from (
    select
        n, hashint8(n + 13) & 2147483647 as chance,
        cast(floor(power(%(organizations)s, (hashint8(n) & 2147483647) / 2147483648.0)) as integer) as organization
    from generate_series(0::bigint, %(rows)s - 1) as n
) as drawn;
create index on marts.fact_user_actions (organization_id, action_date);
create index on marts.fact_user_actions using brin (acted_at);
"""

_MORE = """
insert into marts.fact_user_actions
select
    'more' || n, 'k' || substr(%(organization)s, 2), %(organization)s, 'u', 'u', 'PushEvent', cast(%(day)s as date),
    cast(%(day)s as timestamptz), 2
from generate_series(1, %(actions)s) as n
"""


@dataclass(frozen=True)
class Star:
    """The warehouse and the store it was published to."""

    warehouse: Warehouse
    settings: Settings
    semantic_manifest: Path

    def publish(self, fingerprint: str) -> int:
        """Publish the marts as they are; the number of the snapshot that answers then."""
        return publish(
            self.warehouse,
            self.settings,
            semantic_manifest=self.semantic_manifest,
            fingerprint=fingerprint,
            checks={"passed": 1, "warned": 0, "failed": 0},
        ).snapshot_id

    def act(self, organization: str, actions: int) -> None:
        """Let an organization do more on the last day."""
        with closing(psycopg2.connect(self.warehouse.url(TRANSFORMER))) as connection, connection.cursor() as cursor:
            cursor.execute(_MORE, {"organization": organization, "actions": actions, "day": LAST_DAY})
            connection.commit()


@contextmanager
def published_star(rows: int) -> Iterator[Star]:
    """A star of so many actions in a home folder that is removed afterwards."""
    with TemporaryDirectory(prefix="datainsight-benchmark-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        settings = Settings(home=folder / "home")
        with open_warehouse(settings) as warehouse:
            given = {"rows": rows, "organizations": ORGANIZATIONS, "days": DAYS}
            with closing(psycopg2.connect(warehouse.url(TRANSFORMER))) as connection, connection.cursor() as cursor:
                cursor.execute(_MARTS, given)
                connection.commit()
            with closing(psycopg2.connect(warehouse.url())) as connection, connection.cursor() as cursor:
                connection.autocommit = True
                cursor.execute("vacuum analyze marts.fact_user_actions")
            database = warehouse.url_object.database or ""
            parsed = prepare_manifest(database, settings.home, {"sources": ["github"]})
            star = Star(warehouse, settings, parsed / "semantic_manifest.json")
            star.publish("benchmark")
            yield star
