"""Secrets of datasources are encrypted, for one datasource and by one key."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from warehouse.datasources import (
    Datasource,
    is_datasource_id,
    joined,
    sealed,
    secret_texts_of,
    unsealed,
    upload_folder,
)
from warehouse.errors import DataInsightError
from warehouse.settings import Settings, environment_of, load_settings

ONE, OTHER = "ds_0000000000000001", "ds_0000000000000002"
SECRETS: dict[Any, Any] = {("url",): "postgresql://a:hunter2@db/x", ("tables", 0, "token"): 12345678}


def _settings(home: Path, key: str = "k" * 40) -> Settings:
    return Settings(home=home, secret_key=SecretStr(key))


def _row(sealed_: bytes | None, datasource_id: str = ONE) -> Datasource:
    now = datetime.now(UTC)
    return Datasource(
        datasource_id, "acme", "shop", "database", {}, sealed_, is_uploaded=False, created_by="test", created_at=now,
        updated_at=now,
    )  # fmt: skip


def test_what_is_sealed_is_unsealed(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    kept = sealed(settings, ONE, SECRETS)
    assert b"hunter2" not in kept
    assert unsealed(settings, _row(kept)) == SECRETS
    assert unsealed(settings, _row(None)) == {}


@pytest.mark.parametrize("case", ["another key", "another datasource", "damaged"])
def test_nothing_else_unseals_it(tmp_path: Path, case: str) -> None:
    kept = sealed(_settings(tmp_path), ONE, SECRETS)
    settings = _settings(tmp_path, "j" * 40) if case == "another key" else _settings(tmp_path)
    row = _row(kept[:-2] if case == "damaged" else kept, OTHER if case == "another datasource" else ONE)
    with pytest.raises(DataInsightError, match="cannot be decrypted: the key of the platform is not the one") as raised:
        unsealed(settings, row)
    assert "hunter2" not in f"{raised.value}{raised.value.hint}"
    assert "DATAINSIGHT_SECRET_KEY" in str(raised.value.hint)


def test_secrets_go_back_to_their_places() -> None:
    shown = {"url": "***", "tables": [{"token": "***", "path": "x"}]}
    assert joined(shown, SECRETS) == {
        "url": "postgresql://a:hunter2@db/x",
        "tables": [{"token": 12345678, "path": "x"}],
    }
    assert shown["url"] == "***"


def test_short_secrets_are_not_looked_for_in_texts() -> None:
    assert secret_texts_of({("a",): "on", ("b",): "hunter2", ("c",): 12345678}) == {"hunter2", "12345678"}


def test_ids_are_told_from_other_names() -> None:
    assert is_datasource_id(ONE)
    assert not any(map(is_datasource_id, ["shop", "ds_1", f"{ONE}0", "DS_0000000000000001", "ds_000000000000000g"]))


@pytest.mark.parametrize("organization", ["../../etc", "a/b", ".", "..", "", "x" * 200, "~", "Ä\N{SNOWMAN}"])
def test_no_name_of_an_organization_leads_out_of_the_folder(tmp_path: Path, organization: str) -> None:
    folder = upload_folder(tmp_path, organization, ONE)
    assert folder.parent.parent == tmp_path / "uploads"
    assert len(folder.parent.name) < 64
    assert folder != upload_folder(tmp_path, f"{organization}x", ONE)


def test_a_plain_name_is_its_folder(tmp_path: Path) -> None:
    assert upload_folder(tmp_path, "A-5fb757", ONE) == tmp_path / "uploads" / "A-5fb757" / ONE


def test_another_process_gets_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = Settings(
        database_url=SecretStr("postgresql://a:b@localhost/x"),
        home=tmp_path,
        source_networks=("127.0.0.0/8",),
        secret_key=SecretStr("k" * 40),
        rate_limits={"standard": 5},
        query_seconds=7,
    )
    for name, value in environment_of(given).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == given
