"""The log of the questions that were asked of the metrics; what dbt may know of the files behind a batch.

Revision ID: 0004
"""

from pathlib import Path

from warehouse.migrations.scripts import run_script

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file beside this one."""
    run_script(Path(__file__).with_suffix(".sql"))
