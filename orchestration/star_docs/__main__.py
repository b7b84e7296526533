"""`python -m orchestration.star_docs` writes the pages anew; a test says when that is needed."""

import tempfile
from pathlib import Path

from orchestration.dbt import prepare_manifest
from orchestration.star_docs.pages import FOLDER, write_pages


def main() -> None:
    """Parse the project and write every page; no database is needed."""
    with tempfile.TemporaryDirectory() as home:
        manifest = prepare_manifest("warehouse", Path(home)) / "manifest.json"
        for name in write_pages(manifest, FOLDER):
            print(FOLDER / name)


if __name__ == "__main__":
    main()
