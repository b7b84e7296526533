"""Settings: read once, typed, and a mistake names itself."""

from pathlib import Path

import pytest

from warehouse.errors import DataInsightError
from warehouse.settings import PREFIX, PROJECT_ROOT, Settings, load_settings


def test_defaults_lie_in_the_repository() -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert settings.home == PROJECT_ROOT / ".datainsight"
    assert settings.metric_store_url == str(PROJECT_ROOT / ".datainsight" / "metric_store")


def test_relative_folders_are_relative_to_where_the_command_was_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATAINSIGHT_HOME", "here")
    assert load_settings().home == tmp_path / "here"


def test_an_unknown_setting_names_itself_and_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAINSIGHT_HOMEE", "/somewhere")
    with pytest.raises(DataInsightError, match=r"unknown setting DATAINSIGHT_HOMEE; known are .*DATAINSIGHT_HOME,"):
        load_settings()


def test_an_unknown_setting_in_the_env_file_stops_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATAINSIGHT_COLOUR=blue\n")
    with pytest.raises(DataInsightError, match="DATAINSIGHT_COLOUR"):
        load_settings()


def test_the_env_file_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATAINSIGHT_DAGSTER_PORT=4444\nSOMETHING_ELSE=1\n")
    assert load_settings().dagster_port == 4444


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATAINSIGHT_DATABASE_URL", "mysql://root@localhost/db"),
        ("DATAINSIGHT_DATABASE_URL", "postgresql://me@localhost:many/db"),
        ("DATAINSIGHT_DATABASE_URL", "nonsense"),
        ("DATAINSIGHT_DAGSTER_PORT", "many"),
        ("DATAINSIGHT_DAGSTER_PORT", "70000"),
        ("DATAINSIGHT_SNAPSHOT_RETENTION_HOURS", "0"),
    ],
)
def test_a_malformed_setting_names_itself(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(DataInsightError, match=f"setting {name} is not usable") as caught:
        load_settings()
    assert caught.value.hint is not None


def test_the_password_of_the_database_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAINSIGHT_DATABASE_URL", "postgresql://me:hunter2@localhost/db")
    assert "hunter2" not in repr(load_settings())


def test_every_setting_is_documented() -> None:
    text = (PROJECT_ROOT / "docs" / "settings.md").read_text()
    undocumented = [name for name in Settings.model_fields if f"`{PREFIX}{name.upper()}`" not in text]
    assert not undocumented
