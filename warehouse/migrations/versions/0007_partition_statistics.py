"""Statistics of partitioned facts are renewed where months have changed.

Revision ID: 0007
"""

from pathlib import Path

from warehouse.migrations.scripts import run_script

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file beside this one."""
    run_script(Path(__file__).with_suffix(".sql"))
