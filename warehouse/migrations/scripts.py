"""Runs the SQL scripts that migrations consist of."""

from pathlib import Path

from alembic import op


def run_script(path: Path) -> None:
    """Run a script whole: its functions carry semicolons of their own."""
    op.get_bind().exec_driver_sql(path.read_text(encoding="utf-8").replace("%", "%%"))
