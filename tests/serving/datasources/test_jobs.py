"""Whose job is done next."""

import sqlalchemy as sa

from serving.datasources.jobs import Job, take_up
from warehouse.database import Warehouse


def ask(warehouse: Warehouse, organization: str, *datasource_ids: str) -> None:
    """Let a check of each wait, in this order."""
    with warehouse.engine().begin() as connection:
        for place in datasource_ids:
            given = {"id": place, "organization": organization}
            connection.execute(
                sa.text(
                    "insert into app.datasources (datasource_id, organization_id, name, kind, configuration,"
                    " created_by) values (:id, :organization, 'x', 'files', '{}', 'test')"
                ),
                given,
            )
            connection.execute(
                sa.text(
                    "insert into app.jobs (job_id, organization_id, datasource_id, what, requested_by, created_at)"
                    " values ('job_' || :id, :organization, :id, 'check', 'test', clock_timestamp())"
                ),
                given,
            )


def test_organizations_take_turns(warehouse: Warehouse) -> None:
    ask(warehouse, "acme", "a1", "a2", "a3")
    ask(warehouse, "globex", "g1", "g2")
    taken: list[Job | None] = []
    with warehouse.engine().connect() as connection:
        taken += [take_up(connection) for _ in range(3)]
        ask(warehouse, "initech", "i1")
        taken += [take_up(connection) for _ in range(4)]
    assert [job and job.datasource_id for job in taken] == ["a1", "g1", "a2", "i1", "g2", "a3", None]
