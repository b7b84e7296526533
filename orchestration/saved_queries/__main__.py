"""`python -m orchestration.saved_queries` makes the models anew; a test says when that is needed."""

import json
import tempfile
from pathlib import Path

from orchestration.dbt import prepare_manifest
from orchestration.saved_queries.models import FOLDER, make_models


def main() -> None:
    """Parse the project and write the model of every saved query; no database is needed."""
    with tempfile.TemporaryDirectory() as home:
        parsed = prepare_manifest("warehouse", Path(home))
        manifest = json.loads((parsed / "manifest.json").read_text(encoding="utf-8"))
        made = make_models(manifest, (parsed / "semantic_manifest.json").read_text(encoding="utf-8"))
    for former in FOLDER.rglob("*.sql"):
        if str(former.relative_to(FOLDER)) not in made:
            former.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(FOLDER / name)


if __name__ == "__main__":
    main()
