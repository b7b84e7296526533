"""How relations are made, where the project has ways of its own: views, descriptions, tables of an older version."""

import pytest

from tests.dbt_project.landings import land_both_sources
from tests.dbt_project.project import Star

FEATURES = ("--select", "+dim_features")
STAGED = "staging.stg_saas__feature_usage"


@pytest.mark.parametrize("change", ["add column mood text", "alter column feature_id type varchar(64)"])
def test_a_table_of_an_older_version_is_left_as_it_is(star: Star, change: str) -> None:
    land_both_sources(star.warehouse)
    star.build(*FEATURES)
    star.execute(f"alter table marts.dim_features {change}")
    contents = star.contents()

    assert star.project.run("run", *FEATURES)["dim_features"] == "error"

    message = star.project.messages["dim_features"]
    assert message is not None
    assert "out of sync" in message
    assert star.contents() == contents


def test_views_take_the_place_of_whatever_has_their_name(star: Star) -> None:
    land_both_sources(star.warehouse)
    star.execute(
        "set local role transformer",
        f"create table {STAGED} (one int)",
        "create view staging.stg_saas__accounts as select 1 as one",
        "create view staging.somebodys as select * from staging.stg_saas__accounts",
    )
    star.build(*FEATURES, "stg_saas__accounts")

    assert star.rows(f"select count(*) from {STAGED}") == [(2,)]
    assert star.rows("select account_id from staging.stg_saas__accounts order by 1") == [("acme",), ("globex",)]
    # As with any view of dbt's, what somebody built upon it goes with it.
    assert star.rows("select count(*) from pg_views where viewname = 'somebodys'") == [(0,)]


def test_every_description_is_in_the_database(star: Star) -> None:
    star.build("--vars", "sources: [github]")

    # All that the database has of the star: the models that are documented and their columns.
    undescribed = star.rows(
        "select relname, attname from pg_class"
        " inner join pg_attribute on pg_class.oid = attrelid and attnum > 0 and not attisdropped"
        " where relnamespace in ('marts'::regnamespace, 'metrics'::regnamespace) and relkind in ('r', 'v', 'p')"
        " and (obj_description(pg_class.oid) is null or col_description(attrelid, attnum) is null)"
    )
    assert undescribed == []
    assert star.rows("select obj_description('marts.fact_user_actions'::regclass) like 'One row per%'") == [(True,)]
    assert star.rows("select col_description('marts.dim_dates'::regclass, 1) is not null") == [(True,)]
