"""The platform's secret: one for all processes, a key for each purpose, closed to others."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from warehouse.errors import DataInsightError
from warehouse.secret_keys import fernet_key, purpose_key
from warehouse.settings import Settings, load_settings


def test_each_purpose_has_a_key_of_its_own_which_stays(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    keys = {purpose_key(settings, purpose) for purpose in ("access tokens", "cursors", "access tokens")}
    assert len(keys) == 2
    assert {len(key) for key in keys} == {32}
    assert purpose_key(Settings(home=tmp_path / "home"), "cursors") in keys
    assert purpose_key(Settings(home=tmp_path / "elsewhere"), "cursors") not in keys
    assert fernet_key(settings, "cursors") != purpose_key(settings, "cursors")


def test_a_secret_that_is_given_counts_and_nothing_is_kept(tmp_path: Path) -> None:
    one, other = (Settings(home=tmp_path / "home", secret_key=SecretStr(letter * 32)) for letter in "xy")
    assert purpose_key(one, "cursors") != purpose_key(other, "cursors")
    assert not (tmp_path / "home").exists()
    assert "xxx" not in repr(one)


def test_the_kept_secret_is_closed_to_others(tmp_path: Path) -> None:
    purpose_key(Settings(home=tmp_path), "cursors")
    (kept,) = tmp_path.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: purpose_key(settings, "cursors"), range(40)))
    assert len(keys) == 1
    assert [path.name for path in settings.home.iterdir()] == ["secret_key"]


@pytest.mark.parametrize("damage", [b"", b"short\n", b"\xff" * 64])
def test_a_damaged_secret_is_no_secret(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "secret_key").write_bytes(damage)
    with pytest.raises(DataInsightError, match="is damaged"):
        purpose_key(Settings(home=tmp_path), "cursors")


def test_a_home_that_cannot_be_written_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataInsightError) as caught:
        purpose_key(Settings(home=tmp_path / "file"), "cursors")
    assert "DATAINSIGHT_" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATAINSIGHT_SECRET_KEY", "x" * 31),
        ("DATAINSIGHT_REGISTRATION", "closed"),
        ("DATAINSIGHT_LOGIN_ATTEMPTS", "0"),
        ("DATAINSIGHT_OIDC_ISSUER", "accounts.example.com"),
    ],
)
def test_settings_of_identity_are_checked(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(DataInsightError, match=f"setting {name} is not usable") as caught:
        load_settings()
    assert value not in str(caught.value)
