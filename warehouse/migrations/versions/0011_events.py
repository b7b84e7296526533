"""Events that applications report over HTTP, and who asked a question of the metrics.

Revision ID: 0011
"""

from pathlib import Path

from warehouse.migrations.scripts import run_script

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file beside this one."""
    run_script(Path(__file__).with_suffix(".sql"))
