"""The recipes of `docs/warehouse/recipes`, read from their Markdown and done in order, as their reader would.

Every fenced block counts. `python`, `sql` (in psql) and `sh` are run; a block whose language is followed by a name is
written to a file of that name; a `text` block is what the block before it prints, where `…` stands for anything.
"""

import contextlib
import doctest
import io
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warehouse.embedded.binaries import find_binaries
from warehouse.settings import PROJECT_ROOT

RECIPES = PROJECT_ROOT / "docs" / "warehouse" / "recipes"

_FENCED = re.compile(r"^```(?P<language>\w+)(?: (?P<file>\S+))?\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        file: The name of the file to write it to; None: it is run or compared.
        place: Page and line, for messages.
    """

    language: str
    file: str | None
    content: str
    place: str


def read_blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, from top to bottom."""
    text = page.read_text(encoding="utf-8")
    blocks = []
    for found in _FENCED.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        blocks.append(Block(found["language"], found["file"], found["content"], f"{page.name}:{line}"))
    return blocks


@dataclass
class Reader:
    """Somebody who follows a page in a folder of their own.

    Attributes:
        environment: What the page expects to be set.
    """

    folder: Path
    environment: Mapping[str, str]
    _names: dict[str, Any] = field(default_factory=dict)

    def follow(self, blocks: list[Block]) -> None:
        """Do what each block says; fails at the first one that fails or prints something else."""
        printed = ""
        for block, following in zip(blocks, [*blocks[1:], None], strict=True):
            if block.file is not None:
                (self.folder / block.file).write_text(block.content, encoding="utf-8")
            elif block.language == "text":
                expected = block.content.replace("…", "...")
                flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
                alike = doctest.OutputChecker().check_output(expected, printed, flags)
                assert alike, f"{block.place} says\n{block.content}\nbut this is printed:\n{printed}"
            else:
                printed = getattr(self, f"_run_{block.language}")(block)
                shown = following is not None and following.language == "text"
                assert shown or "ERROR:" not in printed, f"{block.place} failed:\n{printed}"

    def _run_python(self, block: Block) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.content, block.place, "exec"), self._names)  # noqa: S102  It is our own page.
        return printed.getvalue()

    def _run_sql(self, block: Block) -> str:
        # psql goes on after an error, so that a page can show what is refused.
        return self._process(block, "psql", "--no-psqlrc", self.environment["WAREHOUSE_URL"])

    def _run_sh(self, block: Block) -> str:
        return self._process(block, "bash", "-eu")

    def _process(self, block: Block, *command: str) -> str:
        path = f"{Path(find_binaries().program('psql')).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            command,
            input=block.content,
            cwd=self.folder,
            env={**os.environ, "PATH": path, "HOME": str(self.folder), **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block.place} failed:\n{done.stdout}"
        return done.stdout
