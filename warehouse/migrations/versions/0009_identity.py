"""Keys for the HTTP door, and the audit log.

Revision ID: 0009
"""

from pathlib import Path

from warehouse.migrations.scripts import run_script

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file beside this one."""
    run_script(Path(__file__).with_suffix(".sql"))
