"""The doors: logins of organizations and analysts, the tenant policy as row-level security, masks of personal columns.

Revision ID: 0003
"""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL files beside this one, in the order in which they stand on each other."""
    connection = op.get_bind()
    for name in ("0003_doors", "0003_doors_rules", "0003_doors_protect"):
        text = Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(text.replace("%", "%%"))
