"""The doors: logins of organizations and analysts, the tenant policy as row-level security, masks of personal columns.

Revision ID: 0003
"""

from pathlib import Path

from warehouse.migrations.scripts import run_script

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL files beside this one, in the order in which they stand on each other."""
    for name in ("0003_doors", "0003_doors_rules", "0003_doors_protect"):
        run_script(Path(__file__).with_name(f"{name}.sql"))
