"""People: organizations, users, memberships, invitations, sessions; scopes of keys.

Revision ID: 0010
"""

from pathlib import Path

from warehouse.migrations.scripts import run_script

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file beside this one."""
    run_script(Path(__file__).with_suffix(".sql"))
