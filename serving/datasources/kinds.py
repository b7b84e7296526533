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


def require_safe(kind: str, whole: Mapping[str, Any], reach: Reach) -> None:
    """Refuse a configuration, its secrets in their places, that asks for what no organization may have.

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
    _CHECKS[kind](whole, reach)


def destination(kind: str, shown: Mapping[str, Any]) -> dict[str, Any]:
    """What of a configuration says where its secrets are sent: kept secrets must not go elsewhere than before."""
    free = {"exclude", "include", "parallel", "retention", "schema"} | ({"tables"} if kind != "files" else set())
    return {name: value for name, value in shown.items() if name not in free}


def _database(whole: Mapping[str, Any], reach: Reach) -> None:
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
    reach.addresses(url.host)


def _no_database(problem: str) -> DataInsightError:
    return DataInsightError(
        f"configuration.url {problem}", hint="it is written engine://user:password@host:port/database"
    )


def _rest(whole: Mapping[str, Any], reach: Reach) -> None:
    if ("catalog" in whole) == ("definition" in whole):
        raise DataInsightError("configuration must have either catalog or definition")
    definition = whole.get("definition", {})
    if not isinstance(definition, Mapping) or not isinstance(whole.get("catalog", ""), str):
        raise DataInsightError(
            "configuration.definition must be the definition itself, as a mapping of keys to values",
            hint="`catalog` names one of those that are ready",
        )
    for where, address in _addresses(definition, ("definition",)):
        # What a parameter makes of it is looked at when it is asked, as is every redirect.
        if "{" not in address:
            _require_reachable(where, address, reach)
    if "base_url" in whole:
        _require_reachable("base_url", whole["base_url"], reach)


def _addresses(value: Any, place: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The addresses that requests are sent to, with where they stand."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name in {"access_token_url", "base_url"} and isinstance(item, str) and "://" in item:
                yield ".".join((*place, name)), item
            yield from _addresses(item, (*place, str(name)))


def _files(whole: Mapping[str, Any], reach: Reach) -> None:
    schemes = set()
    for where, pattern in _patterns(whole):
        parts = _parts(where, pattern)
        if parts.scheme not in _STORES or not parts.netloc:
            raise DataInsightError(
                f"configuration.{where} is no address of files; allowed are az://, abfs://, s3:// and sftp://",
                hint="files of your own machine are uploaded: POST /api/v1/uploads",
            )
        if parts.scheme == "sftp":
            reach.addresses(parts.hostname or "")
        schemes.add(parts.scheme)
    if len(schemes) != 1:
        raise DataInsightError("configuration must name files of one store", hint="tables: {orders: {path: s3://…}}")
    if "endpoint" in whole:
        _require_reachable("endpoint", whole["endpoint"], reach)
    _require_own_credentials(schemes.pop(), whole.get("storage_options", {}))


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


def _require_reachable(where: str, address: Any, reach: Reach) -> None:
    parts = _parts(where, address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise DataInsightError(f"configuration.{where} is no address", hint="it is written https://api.example.com")
    reach.addresses(parts.hostname)


def _parts(where: str, address: Any) -> Any:
    try:
        parts = urlsplit(address if isinstance(address, str) else "")
        # It is parsed when it is asked for.
        _ = parts.hostname, parts.port
    except ValueError:
        raise DataInsightError(f"configuration.{where} is no address") from None
    return parts


_CHECKS: dict[str, Callable[[Mapping[str, Any], Reach], None]] = {"database": _database, "files": _files, "rest": _rest}
