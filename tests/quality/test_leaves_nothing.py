"""A judgement leaves its decision in the ledger, and nothing anywhere else."""

import subprocess
import sys
from pathlib import Path

from tests.quality.conftest import Room

PROJECT = Path(__file__).resolve().parents[2]

PROGRAM = """
import sys
from pathlib import Path
import sqlalchemy as sa
from quality.validate import validate_landed
from warehouse.database import Warehouse
print(validate_landed(Warehouse(sa.make_url(sys.argv[1])), suites=Path(sys.argv[2])))
"""


def test_no_file_no_temporary_table_no_output_and_no_telemetry(room: Room, tmp_path: Path) -> None:
    room.expect("orders", {"name": "id_present", "present": ["id"]}, {"name": "unique_id", "unique": ["id"]})
    batch = room.land("orders", [{"id": ""}, {"id": "1"}, {"id": "2"}, {"id": "3"}])
    home, work, temporary = (tmp_path / name for name in ("home", "work", "tmp"))
    for folder in (home, work, temporary):
        folder.mkdir()
    url = room.warehouse.url_object.render_as_string(hide_password=False)
    environment = {
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(PROJECT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, url, str(room.suites)],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, f"[{batch}]\n", "")
    assert [path for folder in (home, work, temporary) for path in folder.rglob("*")] == []
    assert room.rows("select relname from pg_class where relpersistence = 't' or relname like 'gx%'") == []
    others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    room.judge()
    assert room.rows(others) == [(0,)]
