"""What an organization pays for, which says how much it may ask."""

import sqlalchemy as sa

from serving.identity.audit import write_down
from serving.identity.memberships import know_organization
from warehouse.database import API, Warehouse
from warehouse.errors import DataInsightError
from warehouse.settings import Settings


def set_plan(warehouse: Warehouse, settings: Settings, organization_id: str, plan: str, *, actor: str) -> None:
    """Give an organization a plan; its keys have it within seconds, logins with their next access token.

    Args:
        warehouse: Where organizations are.
        settings: Which plans there are.
        organization_id: Whose; an organization that is not known yet is noted.
        plan: A name of `DATAINSIGHT_RATE_LIMITS`.
        actor: Who gives it, for the audit log.

    Raises:
        DataInsightError: There is no such plan.
    """
    if plan not in settings.rate_limits:
        raise DataInsightError(
            f"there is no plan {plan!r}; there are {', '.join(sorted(settings.rate_limits))}",
            hint='DATAINSIGHT_RATE_LIMITS says which there are: `{"standard": 6000, "large": 60000}`',
        )
    with warehouse.engine(API).begin() as connection:
        know_organization(connection, organization_id)
        connection.execute(
            sa.text("update app.organizations set plan = :plan where organization_id = :organization_id"),
            {"plan": plan, "organization_id": organization_id},
        )
        write_down(connection, actor, "organizations.plan", organization_id=organization_id, details={"plan": plan})
