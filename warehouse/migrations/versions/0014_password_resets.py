"""Which organization's admin made a link that sets a new password.

Revision ID: 0014
"""

from pathlib import Path

from warehouse.migrations.scripts import run_script

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file beside this one."""
    run_script(Path(__file__).with_suffix(".sql"))
