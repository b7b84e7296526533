"""What the ledger keeps of where a batch came from, and of what the next one starts from.

Revision ID: 0002
"""

from pathlib import Path

from warehouse.migrations.scripts import run_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file beside this one."""
    run_script(Path(__file__).with_suffix(".sql"))
