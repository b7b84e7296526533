"""The roles, the schemas, the `ops` ledger and the functions that say what a date or a number is.

Revision ID: 0001
"""

from pathlib import Path

from warehouse.migrations.scripts import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file beside this one."""
    run_script(Path(__file__).with_suffix(".sql"))
