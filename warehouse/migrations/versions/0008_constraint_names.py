"""The keys of marts are called as the marts are.

Revision ID: 0008
"""

from pathlib import Path

from warehouse.migrations.scripts import run_script

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file beside this one."""
    run_script(Path(__file__).with_suffix(".sql"))
