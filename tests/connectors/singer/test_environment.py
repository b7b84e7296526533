"""Environments of taps, made by the real pip from a wheel of the test's own, or from nowhere."""

import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connectors.singer.environment import _digest, make
from warehouse.errors import DataInsightError


@pytest.fixture
def wheel(tmp_path: Path) -> str:
    """A package `tap-tiny` with one executable."""
    path = tmp_path / "tap_tiny-1.0-py3-none-any.whl"
    info = "tap_tiny-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("tap_tiny.py", "def main():\n    print('tiny')\n")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tap-tiny\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/entry_points.txt", "[console_scripts]\ntap-tiny = tap_tiny:main\n")
        file.writestr(f"{info}/RECORD", "")
    return str(path)


def test_an_environment_is_made_once_whoever_asks(wheel: str, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    home = tmp_path / "a home"
    said: list[str] = []
    # What an earlier making left when it was killed is no environment.
    left = home.absolute() / "singer" / _digest([wheel]) / "bin" / "tap-tiny"
    left.parent.mkdir(parents=True)
    left.write_text("half")
    with ThreadPoolExecutor() as pool:
        found = set(pool.map(lambda _: make("tap-tiny", home, wheel, said.append), range(2)))
    assert said == [f"installing {wheel}; this is done once"]
    [executable] = found
    assert subprocess.check_output([executable], text=True) == "tiny\n"

    assert executable == left
    assert make("tap-tiny", home, [wheel], said.append) == executable
    assert len(said) == 1

    # A package with one tap needs no name for it; with a wrong one, it is told which there are.
    assert make("pipelinewise-tap-tiny", home, wheel) == executable
    (executable.parent / "tap-other").touch()
    with pytest.raises(DataInsightError, match=r"brings no executable tap-wrong, only tap-other, tap-tiny"):
        make("tap-wrong", home, wheel)


def test_what_pip_cannot_find_is_said_in_its_own_words(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(DataInsightError) as error:
        make("tap-nowhere", tmp_path / "home", "tap-nowhere==1.0")
    assert error.value.message == (
        "pip install tap-nowhere==1.0 failed: No matching distribution found for tap-nowhere==1.0"
    )
    assert "check the name and version" in str(error.value.hint)
