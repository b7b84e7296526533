"""No datasource reads what is the platform's own: its files, its network, its credentials."""

from typing import Any

import pytest

from serving.datasources.kinds import destination, require_safe
from warehouse.errors import DataInsightError
from warehouse.reach import Reach

# Everything is in reach, so that what is refused is refused for another reason.
ANYWHERE = Reach(("0.0.0.0/0", "::/0"))
DATABASE = "postgresql://reader:hunter2@127.0.0.1:5432/shop"
S3 = {"storage_options": {"key": "AK", "secret": "hunter2"}}
AZ = {"storage_options": {"account_name": "acme", "account_key": "hunter2"}}
SFTP = {"storage_options": {"username": "me", "password": "hunter2", "host_key": "ssh-ed25519 AAAA"}}


@pytest.mark.parametrize(
    ("kind", "configuration"),
    [
        ("database", {"url": DATABASE}),
        ("database", {"url": f"{DATABASE}?sslmode=require", "tables": {"orders": {}}}),
        ("database", {"url": "mysql://a:b@127.0.0.1/x", "include": "sales_*"}),
        ("rest", {"catalog": "stripe", "parameters": {"api_key": "sk"}}),
        ("rest", {"catalog": "stripe", "timeout": "60 seconds", "patience": "10 minutes", "back_off": "1 minute"}),
        ("rest", {"catalog": "stripe", "retries": 10, "limits": [{"requests": 1, "seconds": 86_400}]}),
        ("rest", {"definition": {"client": {"base_url": "http://127.0.0.1:80"}, "tables": {}}}),
        ("rest", {"definition": {"client": {"base_url": "https://{shop}.example.com"}}}),
        ("files", {"tables": {"orders": {"path": "s3://bucket/*.csv"}}, **S3}),
        ("files", {"tables": {"orders": {"path": ["a.csv", "b/*.csv"]}}, "root": "az://box", **AZ}),
        ("files", {"tables": {"orders": {"path": "sftp://127.0.0.1/x.csv"}}, **SFTP}),
    ],
)
def test_sound_ones_are_taken(kind: str, configuration: dict[str, Any]) -> None:
    require_safe(kind, configuration, ANYWHERE)


@pytest.mark.parametrize(
    ("kind", "configuration", "reason"),
    [
        ("python", {}, "there is no kind 'python'"),
        ("demo", {}, "there is no kind 'demo'"),
        ("database", {}, "is no URL of a database"),
        ("database", {"url": 7}, "is no URL of a database"),
        ("database", {"url": "sqlite:////etc/x.db"}, "is of no kind of database"),
        ("database", {"url": "duckdb:///x"}, "is of no kind of database"),
        ("database", {"url": "mssql+pyodbc://a:b@h/x"}, "is of no kind of database"),
        ("database", {"url": "postgresql://a:b@/x"}, "names no host"),
        ("database", {"url": "postgresql://a:b@%2Fvar%2Frun/x"}, "names no host"),
        ("database", {"url": "postgresql://a:b@h1,h2/x"}, "names no host"),
        ("database", {"url": "postgresql://a@127.0.0.1/x"}, "has no user and password"),
        ("database", {"url": f"{DATABASE}?hostaddr=127.0.0.1"}, "has a parameter that is not allowed"),
        ("database", {"url": f"{DATABASE}?sslkey=/etc/key"}, "has a parameter that is not allowed"),
        ("database", {"url": DATABASE, "schedule": "* * * * *"}, "schedule is no setting"),
        ("rest", {}, "must have either catalog or definition"),
        ("rest", {"catalog": "stripe", "definition": {}}, "must have either catalog or definition"),
        ("rest", {"definition": "/etc/passwd"}, "must be the definition itself"),
        ("rest", {"catalog": ["stripe"]}, "must be the definition itself"),
        ("rest", {"catalog": "stripe", "base_url": "file:///etc/passwd"}, "base_url is no address"),
        ("rest", {"catalog": "stripe", "base_url": "http://[::1"}, "base_url is no address"),
        ("files", {}, "must name files of one store"),
        ("files", {"tables": {"a": {"path": "/etc/passwd"}}, **S3}, "is no address of files"),
        ("files", {"tables": {"a": {"path": "data.csv"}}, **S3}, "is no address of files"),
        ("files", {"tables": {"a": {"path": "file:///etc/passwd"}}, **S3}, "is no address of files"),
        ("files", {"tables": {"a": {"path": "gs://bucket/x"}}, **S3}, "is no address of files"),
        ("files", {"tables": {"a": {"path": "/etc/passwd"}}, "root": "s3://b", **S3}, "is no address of files"),
        ("files", {"tables": {"a": {"path": "~/x"}}, "root": "s3://b", **S3}, "is no address of files"),
        ("files", {"tables": {"a": {"path": "x"}}, "root": "/etc", **S3}, "is no address of files"),
        ("files", {"tables": {"a": {}}, **S3}, "is no address of files"),
        ("files", {"tables": {"a": {"path": "s3://b/x"}}}, "needs key and secret or anon"),
        ("files", {"tables": {"a": {"path": "az://b/x"}}, "storage_options": {"account_name": "acme"}}, "needs"),
        ("files", {"tables": {"a": {"path": ["s3://b/x", "az://b/x"]}}, **S3}, "files of one store"),
        (
            "files",
            {"tables": {"a": {"path": "s3://b/x"}}, "storage_options": {"anon": True, "client_kwargs": {}}},
            "must be a mapping of anon, key, secret, token",
        ),
        (
            "files",
            {
                "tables": {"a": {"path": "sftp://127.0.0.1/x"}},
                "storage_options": {"username": "me", "key_filename": "/id"},
            },
            "must be a mapping of",
        ),
        (
            "files",
            {"tables": {"a": {"path": "az://b/x"}}, "storage_options": {"account_name": "a.evil/", "anon": True}},
            "is no name of an account",
        ),
    ],
)
def test_what_reads_the_platforms_own_is_refused(kind: str, configuration: dict[str, Any], reason: str) -> None:
    with pytest.raises(DataInsightError, match=reason) as raised:
        require_safe(kind, configuration, ANYWHERE)
    assert "hunter2" not in f"{raised.value}{raised.value.hint}"


LONG = [{"requests": 1, "seconds": 1e9}]


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ({"timeout": "10000 days"}, "timeout is at most 60 seconds"),
        ({"timeout": "61 seconds"}, "timeout is at most 60 seconds"),
        ({"patience": "11 minutes"}, "patience is at most 600 seconds"),
        ({"back_off": "2 hours"}, "back_off is at most 60 seconds"),
        ({"retries": 11}, "retries is at most 10"),
        ({"retries": "1e9"}, "retries is at most 10"),
        ({"limits": LONG}, "limits.seconds is at most 86,400"),
        ({"limits": [{"requests": 1, "seconds": "1e9"}]}, "limits.seconds is at most 86,400"),
        ({"definition": {"limits": LONG}}, "limits.seconds is at most 86,400"),
        ({"definition": {"tables": {"a": {"limits": LONG}}}}, "limits.seconds is at most 86,400"),
    ],
)
def test_what_would_keep_others_waiting_is_refused(configuration: dict[str, Any], reason: str) -> None:
    whole = configuration if "definition" in configuration else {"catalog": "stripe", **configuration}
    with pytest.raises(DataInsightError, match=reason):
        require_safe("rest", whole, ANYWHERE)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "0x7f.1"])
@pytest.mark.parametrize(
    ("kind", "configuration"),
    [
        ("database", {"url": "postgresql://a:b@HOST:5432/x"}),
        ("rest", {"catalog": "stripe", "base_url": "http://HOST/"}),
        ("rest", {"definition": {"client": {"base_url": "http://HOST/"}}}),
        ("rest", {"definition": {"tables": {"a": {"base_url": "http://HOST/"}}}}),
        ("rest", {"definition": {"client": {"auth": {"access_token_url": "http://HOST/token"}}}}),
        ("files", {"tables": {"a": {"path": "sftp://HOST/x"}}, **SFTP}),
        ("files", {"tables": {"a": {"path": "s3://b/x"}}, "endpoint": "http://HOST:9000", **S3}),
    ],
)
def test_the_platforms_own_network_is_out_of_reach(kind: str, configuration: dict[str, Any], host: str) -> None:
    with pytest.raises(DataInsightError, match="may not reach"):
        require_safe(kind, _with(configuration, host), Reach())


def _with(value: Any, host: str) -> Any:
    match value:
        case dict():
            return {name: _with(item, host) for name, item in value.items()}
        case str():
            return value.replace("HOST", host)
    return value


def test_a_definition_does_not_keep_the_server_looking_up_names() -> None:
    def of(hosts: int) -> dict[str, Any]:
        tables = {f"t{at}": {"base_url": f"http://127.0.0.{at % hosts + 1}/"} for at in range(500)}
        return {"definition": {"client": {"base_url": "http://127.0.0.1/"}, "tables": tables}}

    require_safe("rest", of(20), ANYWHERE)
    with pytest.raises(DataInsightError, match="configuration names 21 hosts, and 20 are allowed"):
        require_safe("rest", of(21), ANYWHERE)
    paths = [f"sftp://127.0.0.{at}/x.csv" for at in range(1, 200)]
    with pytest.raises(DataInsightError, match="configuration names 199 hosts"):
        require_safe("files", {"tables": {"orders": {"path": paths}}, **SFTP}, ANYWHERE)


def test_tables_are_no_part_of_where_secrets_go_but_of_files() -> None:
    one = {"url": DATABASE, "tables": {"a": {}}, "schema": "x"}
    assert destination("database", one) == destination("database", {"url": DATABASE, "include": "*"})
    files = {"tables": {"a": {"path": "s3://one/x"}}, **S3}
    other = {**files, "tables": {"a": {"path": "s3://other/x"}}}
    assert destination("files", files) != destination("files", other)


@pytest.mark.parametrize(
    ("kind", "configuration", "change"),
    [
        ("rest", {"catalog": "gitlab", "parameters": {"host": "one", "token": "t"}}, {"host": "other"}),
        (
            "rest",
            {"catalog": "woocommerce", "parameters": {"store": "one", "consumer_secret": "t"}},
            {"store": "other"},
        ),
        ("rest", {"definition": {"client": {"auth": {"access_token_url": "one"}}}}, {"access_token_url": "other"}),
        ("rest", {"definition": {"client": {"headers": {"Host": "one"}}}}, {"Host": "other"}),
        ("files", AZ, {"account_name": "another"}),
        ("files", {"storage_options": {**SFTP["storage_options"], "port": 22}}, {"port": 2222}),
        ("files", SFTP, {"host_key": "ssh-ed25519 BBBB"}),
    ],
)
def test_where_secrets_go_may_stand_among_them(
    kind: str, configuration: dict[str, Any], change: dict[str, Any]
) -> None:
    assert destination(kind, configuration) != destination(kind, _changed(configuration, change))


@pytest.mark.parametrize(
    ("configuration", "change"),
    [(AZ, {"account_key": "another"}), (S3, {"secret": "another"}), (SFTP, {"password": "another"})],
)
def test_a_stores_credentials_say_not_where_it_is(configuration: dict[str, Any], change: dict[str, Any]) -> None:
    assert destination("files", configuration) == destination("files", _changed(configuration, change))


def _changed(value: Any, change: dict[str, Any]) -> Any:
    """The same, with other values under these names, wherever they are."""
    if not isinstance(value, dict):
        return value
    return {name: change.get(name, _changed(item, change)) for name, item in value.items()}
