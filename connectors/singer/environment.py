"""Python environments of taps: one for each set of requirements, made once with pip, under `<home>/singer`."""

import fcntl
import hashlib
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from connectors.singer.process import Command
from warehouse.errors import DataInsightError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_READY = "ready"
_PATIENCE_SECONDS = 1_800.0


def make(
    tap: str,
    home: Path,
    package: str | Sequence[str] = (),
    say: Callable[[str], None] = lambda line: None,  # noqa: ARG005
) -> Path:
    """Make the environment of a tap, unless it is there already.

    Two processes that want the same one take turns. An environment counts once it is complete: one whose making was
    killed is made anew.

    Args:
        tap: The name of its executable, or a requirement whose package has one executable.
        home: The platform's home folder.
        package: What pip is to install; `tap` by default.
        say: Told what is going on, because it takes a while.

    Returns:
        The executable.

    Raises:
        DataInsightError: pip cannot install the requirements, or they bring no such executable.
    """
    requirements = [package] if isinstance(package, str) else list(package) or [tap]
    folder = home.absolute() / "singer" / _digest(requirements)
    with _turn(folder):
        if not (folder / _READY).is_file() or not (folder / "bin" / "python").exists():
            say(f"installing {', '.join(requirements)}; this is done once")
            _install(folder, requirements)
    return _executable(folder, tap, requirements)


def _digest(requirements: Sequence[str]) -> str:
    said = "\n".join([*sorted(requirements), sys.version.split()[0]])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _install(folder: Path, requirements: Sequence[str]) -> None:
    # Scripts name the interpreter by its full path, so an environment cannot be made elsewhere and renamed:
    # what tells a complete one is the file written last.
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)], folder.parent, f"an environment for {requirements[0]}")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
    options = ["--disable-pip-version-check", *requirements]
    _run([*pip, *options], folder.parent, f"pip install {' '.join(requirements)}")
    (folder / _READY).write_text("\n".join(requirements) + "\n", encoding="utf-8")


def _run(arguments: list[str], folder: Path, what: str) -> None:
    with Command(what, arguments, folder=folder, patience_seconds=_PATIENCE_SECONDS) as command:
        for _ in command.lines():
            pass
        try:
            command.end()
        except DataInsightError as error:
            raise _explained(what, command.words) from error


def _explained(what: str, words: list[str]) -> DataInsightError:
    """The failure in pip's own words: the last line that is an error."""
    errors = [line.removeprefix("ERROR:").strip() for line in words if line.startswith("ERROR:")]
    reason = (errors or words or ["it said nothing"])[-1][:500]
    if "No matching distribution" in reason:
        hint = "check the name and version under package; pip's own settings say where it looks"
    else:
        hint = "nothing was kept; pip's own settings and log apply, and the next run tries again"
    return DataInsightError(f"{what} failed: {reason}", hint)


def _executable(folder: Path, tap: str, requirements: Sequence[str]) -> Path:
    match = _NAME.match(tap)
    wanted = folder / "bin" / (match.group() if match else tap)
    if wanted.is_file():
        return wanted
    there = sorted(path.name for path in (folder / "bin").glob("*tap*"))
    if len(there) == 1:
        return folder / "bin" / there[0]
    raise DataInsightError(
        f"{', '.join(requirements)} brings no executable {wanted.name}, only {', '.join(there) or 'none of a tap'}",
        hint="tap is the name of the executable, package what pip installs to get it",
    )


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
