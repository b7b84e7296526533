"""How facts that are partitioned by month are filled; what dbt may know of published snapshots.

Revision ID: 0005
"""

from pathlib import Path

from warehouse.migrations.scripts import run_script

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file beside this one."""
    run_script(Path(__file__).with_suffix(".sql"))
