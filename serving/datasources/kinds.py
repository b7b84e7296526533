"""What a datasource of each kind may say, as far as it concerns the safety of the platform and of others.

What else is wrong with it, `check` tells. Here it is made sure that nothing of the server is read: none of its files,
none of its variables, none of its own credentials, none of the addresses that only it can reach; and that nobody else
waits for it for long.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from warehouse.bounds import require_bounded
from warehouse.errors import DataInsightError
from warehouse.reach import Reach

_COMMON = {"retention", "tables"}
_KEYS = {
    "database": _COMMON | {"exclude", "include", "parallel", "schema", "url"},
    "files": _COMMON | {"endpoint", "root", "storage_options"},
    "rest": _COMMON
    | {"back_off", "base_url", "catalog", "definition", "limits", "parameters", "patience", "retries", "timeout"},
}
KINDS = sorted(_KEYS)

_DATABASES = {"mariadb", "mssql", "mysql", "postgres", "postgresql"}
_DATABASE_OPTIONS = {"charset", "encrypt", "require_ssl", "sslmode"}
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_STORES: dict[str, set[str]] = {
    "az": {"account_key", "account_name", "anon", "sas_token"},
    "s3": {"anon", "key", "secret", "token"},
    "sftp": {"host_key", "password", "port", "username"},
}
_STORES["abfs"] = _STORES["az"]
# Without any of these, the libraries look for the server's own.
_CREDENTIALS = {
    "az": [{"account_name", "account_key"}, {"account_name", "sas_token"}, {"account_name", "anon"}],
    "s3": [{"key", "secret"}, {"anon"}],
    "sftp": [{"username", "password", "host_key"}],
}
_CREDENTIALS["abfs"] = _CREDENTIALS["az"]
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_FREE = {"exclude", "include", "parallel", "retention", "schema"}
# None of a store's credentials says where it is, and each may be changed without the others.
_CHANGED_ALONE = {"account_key", "key", "password", "sas_token", "secret", "token"}
# Each is looked up, by whatever name server its owner has chosen.
_MOST_HOSTS = 20


def require_safe(kind: str, whole: Mapping[str, Any], reach: Reach) -> None:
    """Refuse a configuration, its secrets in their places, that asks for what no organization may have.

    The hosts that it names are looked up, which may take seconds: never within a transaction.

    Raises:
        DataInsightError: It does; no secret is repeated.
    """
    if kind not in _KEYS:
        raise DataInsightError(f"there is no kind {kind!r}", hint=f"allowed are {', '.join(KINDS)}")
    unknown = sorted(set(whole) - _KEYS[kind])
    if unknown:
        raise DataInsightError(
            f"configuration.{unknown[0]} is no setting of a datasource of kind {kind}",
            hint=f"allowed are {', '.join(sorted(_KEYS[kind]))}",
        )
    require_bounded(whole)
    hosts = set(_CHECKS[kind](whole))
    if len(hosts) > _MOST_HOSTS:
        raise DataInsightError(
            f"configuration names {len(hosts):,} hosts, and {_MOST_HOSTS} are allowed",
            hint="make a datasource for each of its systems",
        )
    reach.require_all(sorted(hosts))


def destination(kind: str, whole: Mapping[str, Any]) -> dict[str, Any]:
    """What of a configuration says where its secrets are sent: kept secrets must not go elsewhere than before.

    Args:
        kind: Its kind.
        whole: The configuration with its secrets in their places, for a host may stand among them: where the address of
            an API is made of parameters, as the URL that tokens are fetched from, as the name of an account.
    """
    free = _FREE if kind == "files" else {*_FREE, "tables"}
    found = {name: value for name, value in whole.items() if name not in free}
    if isinstance(found.get("storage_options"), Mapping):
        options = found["storage_options"].items()
        found["storage_options"] = {name: value for name, value in options if name not in _CHANGED_ALONE}
    return found


def _database(whole: Mapping[str, Any]) -> list[str]:
    try:
        url = sa.make_url(str(whole.get("url", "")))
    except (sa.exc.ArgumentError, ValueError):
        raise _no_database("is no URL of a database") from None
    if url.drivername not in _DATABASES:
        raise _no_database(f"is of no kind of database that can be read; allowed are {', '.join(sorted(_DATABASES))}")
    if not url.host or not _HOST.fullmatch(url.host):
        raise _no_database("names no host")
    if not url.username or not url.password:
        raise _no_database("has no user and password")
    beyond = sorted(set(url.query) - _DATABASE_OPTIONS)
    if beyond:
        raise _no_database(f"has a parameter that is not allowed; these are: {', '.join(sorted(_DATABASE_OPTIONS))}")
    return [url.host]


def _no_database(problem: str) -> DataInsightError:
    return DataInsightError(
        f"configuration.url {problem}", hint="it is written engine://user:password@host:port/database"
    )


def _rest(whole: Mapping[str, Any]) -> list[str]:
    if ("catalog" in whole) == ("definition" in whole):
        raise DataInsightError("configuration must have either catalog or definition")
    definition = whole.get("definition", {})
    if not isinstance(definition, Mapping) or not isinstance(whole.get("catalog", ""), str):
        raise DataInsightError(
            "configuration.definition must be the definition itself, as a mapping of keys to values",
            hint="`catalog` names one of those that are ready",
        )
    # What a parameter makes of an address is looked at when it is asked, as is every redirect.
    hosts = [_host(where, one) for where, one in _addresses(definition, ("definition",)) if "{" not in one]
    return [*hosts, _host("base_url", whole["base_url"])] if "base_url" in whole else hosts


def _addresses(value: Any, place: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The addresses that requests are sent to, with where they stand."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name in {"access_token_url", "base_url"} and isinstance(item, str) and "://" in item:
                yield ".".join((*place, name)), item
            yield from _addresses(item, (*place, str(name)))


def _files(whole: Mapping[str, Any]) -> list[str]:
    schemes, hosts = set(), []
    for where, pattern in _patterns(whole):
        parts = _parts(where, pattern)
        if parts.scheme not in _STORES or not parts.netloc:
            raise DataInsightError(
                f"configuration.{where} is no address of files; allowed are az://, abfs://, s3:// and sftp://",
                hint="files of your own machine are uploaded: POST /api/v1/uploads",
            )
        if parts.scheme == "sftp":
            hosts.append(parts.hostname or "")
        schemes.add(parts.scheme)
    if len(schemes) != 1:
        raise DataInsightError("configuration must name files of one store", hint="tables: {orders: {path: s3://…}}")
    _require_own_credentials(schemes.pop(), whole.get("storage_options", {}))
    return [*hosts, _host("endpoint", whole["endpoint"])] if "endpoint" in whole else hosts


def _patterns(whole: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    root = whole.get("root")
    if root is not None:
        yield "root", root
    tables = whole.get("tables", {})
    for name, table in tables.items() if isinstance(tables, Mapping) else ():
        paths = table.get("path") if isinstance(table, Mapping) else None
        for path in paths if isinstance(paths, list) else [paths]:
            is_below = root is not None and isinstance(path, str) and re.fullmatch(r"[^/~:\\][^:\\]*", path)
            if not is_below:
                yield f"tables.{name}.path", path


def _require_own_credentials(scheme: str, options: Any) -> None:
    allowed = _STORES[scheme]
    if not isinstance(options, Mapping) or set(options) - allowed or any(_is_nested(one) for one in options.values()):
        raise DataInsightError(
            f"configuration.storage_options of {scheme}:// must be a mapping of {', '.join(sorted(allowed))}"
        )
    given = {name for name, value in options.items() if value}
    if not any(needed <= given for needed in _CREDENTIALS[scheme]):
        ways = " or ".join(" and ".join(sorted(needed)) for needed in _CREDENTIALS[scheme])
        raise DataInsightError(
            f"configuration.storage_options of {scheme}:// needs {ways}",
            hint="the platform's own credentials are not used for datasources",
        )
    if "account_name" in options and not _ACCOUNT.fullmatch(str(options["account_name"])):
        raise DataInsightError("configuration.storage_options.account_name is no name of an account")


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping | list)


def _host(where: str, address: Any) -> str:
    parts = _parts(where, address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise DataInsightError(f"configuration.{where} is no address", hint="it is written https://api.example.com")
    return str(parts.hostname)


def _parts(where: str, address: Any) -> Any:
    try:
        parts = urlsplit(address if isinstance(address, str) else "")
        # It is parsed when it is asked for.
        _ = parts.hostname, parts.port
    except ValueError:
        raise DataInsightError(f"configuration.{where} is no address") from None
    return parts


# Each tells the hosts that a configuration names.
_CHECKS: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {"database": _database, "files": _files, "rest": _rest}
