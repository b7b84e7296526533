"""What a call of the metrics was for.

Revision ID: 0015
"""

from pathlib import Path

from warehouse.migrations.scripts import run_script

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file beside this one."""
    run_script(Path(__file__).with_suffix(".sql"))
