"""Sources that organizations add over HTTP, and the jobs on them.

Revision ID: 0012
"""

from pathlib import Path

from warehouse.migrations.scripts import run_script

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file beside this one."""
    run_script(Path(__file__).with_suffix(".sql"))
