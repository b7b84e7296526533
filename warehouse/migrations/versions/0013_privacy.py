"""Erasures of personal data, withdrawn snapshots, and links that set a new password.

Revision ID: 0013
"""

from pathlib import Path

from warehouse.migrations.scripts import run_script

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file beside this one."""
    run_script(Path(__file__).with_suffix(".sql"))
