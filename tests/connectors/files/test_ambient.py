"""What the platform finds around itself, in its environment and in files, is not used for an organization's source."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec.config
import pytest

from connectors.files.kind import FilesSource
from connectors.files.object_store import ObjectStore
from connectors.source import Surroundings
from tests.connectors.files.conftest import S3
from warehouse.reach import Reach

KEY, OURS = "b3ducyBrZXk=", "cGxhdGZvcm0ncyBrZXk="
NOWHERE = "http://127.0.0.1:9"
CONNECTION = f"DefaultEndpointsProtocol=https;AccountName=platform;AccountKey={OURS};EndpointSuffix=core.windows.net"
ENVIRONMENT = {
    "AZURE_STORAGE_ACCOUNT_KEY": OURS,
    "AZURE_STORAGE_ACCOUNT_NAME": "platform",
    "AZURE_STORAGE_CLIENT_ID": "platform",
    "AZURE_STORAGE_CONNECTION_STRING": CONNECTION,
    "AZURE_STORAGE_SAS_TOKEN": "sig=platform",
    "AWS_ACCESS_KEY_ID": "platform",
    "AWS_SECRET_ACCESS_KEY": OURS,
    "AWS_SESSION_TOKEN": "platform",
    "AWS_ENDPOINT_URL": NOWHERE,
    "AWS_ENDPOINT_URL_S3": NOWHERE,
    "AWS_PROFILE": "platform",
}
OWN = {"account_name": "acme", "account_key": KEY}


@pytest.fixture
def surrounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The platform has credentials of its own, wherever the libraries look for them."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    profile = f"[default]\nendpoint_url = {NOWHERE}\n[profile platform]\nendpoint_url = {NOWHERE}\n"
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(profile)


def connected(path: str, options: dict[str, Any], *, organization: str | None = "acme") -> Any:
    """The store of a source with these options."""
    values = {"name": "box", "kind": "files", "tables": {"t": {"path": path}}, "storage_options": options}
    source = FilesSource.model_validate(values, context=Surroundings("box", Path(), Path()))
    if organization is not None:
        source.bind(organization, Reach())
    return ObjectStore(source)._store(path)


@pytest.mark.usefixtures("surrounded")
@pytest.mark.parametrize(
    "options",
    [OWN, {"account_name": "acme", "sas_token": "sig=own"}, {"account_name": "acme", "anon": True}],
    ids=["a key", "a token", "nobody"],
)
def test_azure_is_asked_with_an_organizations_own_credentials_alone(options: dict[str, Any]) -> None:
    before = dict(os.environ)
    store = connected("az://box/*.csv", options)
    assert store.service_client.url.startswith("https://acme.blob.core.windows.net/")
    assert (store.account_key, store.connection_string, store.client_id) == (options.get("account_key"), None, None)
    assert (store.sas_token or "").removeprefix("?") == options.get("sas_token", "")
    assert store.credential is None
    # The platform's own source, read after it, is not without them.
    assert dict(os.environ) == before


@pytest.mark.usefixtures("surrounded")
def test_the_platforms_own_source_finds_them_as_before() -> None:
    store = connected("az://box/*.csv", {}, organization=None)
    assert store.service_client.url.startswith("https://platform.blob.core.windows.net/")


def test_what_fsspec_is_configured_with_is_the_platforms_too(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {"connection_string": CONNECTION}
    monkeypatch.setitem(fsspec.config.conf, "abfs", ours)
    assert connected("az://box/*.csv", OWN).connection_string is None
    assert fsspec.config.conf["abfs"] == ours
    assert connected("az://box/*.csv", {}, organization=None).connection_string == CONNECTION


@pytest.mark.usefixtures("surrounded")
@pytest.mark.parametrize("options", [{"key": "AK", "secret": KEY}, {"anon": True}], ids=["a key", "nobody"])
def test_s3_is_asked_with_an_organizations_own_credentials_alone(options: dict[str, Any]) -> None:
    client = connected("s3://lake/*.csv", options).s3
    assert client.meta.endpoint_url.endswith(".amazonaws.com")
    credentials = client._request_signer._credentials
    told = None if credentials is None else (credentials.access_key, credentials.secret_key, credentials.token)
    assert told == (("AK", KEY, None) if "key" in options else None)


def test_an_organizations_files_land_from_its_own_server(
    s3: S3,
    store: Callable[..., Any],
    surrounded: None,  # noqa: ARG001 - after the server was made ready.
) -> None:
    s3.put("orders/1.csv", "id\n1\n")
    shop = store("{orders: {path: 's3://lake/orders/*', key: id}}", *s3.lines)
    shop.source.bind("acme", Reach(("127.0.0.0/8",)))
    shop.land()
    assert shop.column("select id from raw_shop.orders") == ["1"]
