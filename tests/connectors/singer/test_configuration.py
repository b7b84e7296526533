"""What `sources.yaml` may say of a tap."""

from pathlib import Path

import pytest

from connectors.config import load_sources
from connectors.secrets import secret_texts
from warehouse.errors import DataInsightError


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("tables: {a: {}}", "has no tap; it must be the name of the tap's executable"),
        ("tap: '-x'\n    tables: {a: {}}", "tap must be the name of a tap's executable, or a path to it"),
        ("tap: tap-x", "names no table: it needs tables"),
        ("tap: tap-x\n    package: --upgrade\n    tables: {a: {}}", "not an option of pip"),
        ("tap: tap-x\n    patience: soon\n    tables: {a: {}}", "patience must be a number, or a span of time"),
        ("tap: tap-x\n    tables: {a: {lag: late}}", "lag must be a number, or a span of time"),
        ("tap: tap-x\n    tables: {a: {replication: half}}", "replication must be full_table or incremental"),
        ("tap: tap-x\n    tables: {a: {streem: b}}", "did you mean stream?"),
    ],
)
def test_mistakes(tmp_path: Path, lines: str, said: str):
    path = tmp_path / "sources.yaml"
    path.write_text(f"sources:\n  crm:\n    kind: singer\n    {lines}\n")
    with pytest.raises(DataInsightError) as error:
        load_sources(path, tmp_path / "home")
    assert said in error.value.message


def test_what_is_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CRM_TOKEN", "hunter2hunter2")
    path = tmp_path / "sources.yaml"
    path.write_text(
        """
sources:
  crm:
    kind: singer
    tap: tap-crm
    config:
      region: europe
      key_properties: [order_id]
      url: http://127.0.0.1/v1
      access_token: "${CRM_TOKEN}"
      logins: [{user: ann, password: swordfish}]
      client_credentials: {id: abc-id, text: abc-text}
      proxy: http://ann:opensesame@127.0.0.1:1
    tables: {orders: {}}
"""
    )
    [source] = load_sources(path, tmp_path / "home")
    assert secret_texts(source) >= {"hunter2hunter2", "swordfish", "abc-id", "abc-text", "opensesame"}
    assert not {"europe", "order_id", "http://127.0.0.1/v1", "ann"} & secret_texts(source)
    assert not any(secret in repr(source) for secret in secret_texts(source))
