"""How partitioned facts of a restored database find their partitions and their keys again.

Revision ID: 0006
"""

from pathlib import Path

from warehouse.migrations.scripts import run_script

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file beside this one."""
    run_script(Path(__file__).with_suffix(".sql"))
