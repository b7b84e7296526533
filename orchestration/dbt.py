"""Runs dbt in this process: parses the project once for each state of its files, builds it, reports each node."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from orchestration.outcome import BuildOutcome, NodeOutcome
from warehouse.database import Warehouse, libpq_environment
from warehouse.errors import DataInsightError
from warehouse.settings import PROJECT_ROOT, Settings

PROJECT = PROJECT_ROOT / "dbt_project"
_PARSED = "partial_parse.msgpack"
_SOURCE_SUFFIXES = {".sql", ".yml", ".yaml", ".csv"}


Variables = Mapping[str, Any]


class DbtUsageError(DataInsightError):
    """The command or options that were given to dbt are none of its own."""


def project_variables(settings: Settings, sources: Iterable[str]) -> Variables:
    """What the project is told of this installation.

    Args:
        settings: Its settings.
        sources: The names of the sources that are landed; the models of others are left out.
    """
    return {
        "sources": sorted(set(sources)),
        "fiscal_year_start_month": settings.fiscal_year_start_month,
        "holiday_country": settings.holiday_country,
    }


def project_version(variables: Variables | None = None) -> str:
    """A hash of all that decides what the models and metrics say: the files, and what the project is told.

    Args:
        variables: See `project_variables`; None for the project's own defaults.
    """
    digest = hashlib.sha256(json.dumps([version("dbt-core"), *_stated(variables)]).encode())
    for path in sorted(p for p in PROJECT.rglob("*") if p.suffix in _SOURCE_SUFFIXES and "target" not in p.parts):
        digest.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def prepare_manifest(database: str, home: Path, variables: Variables | None = None) -> Path:
    """The folder of the project as its files are now: `manifest.json`, `semantic_manifest.json`, and what dbt parsed.

    The project is parsed once for each state of its files; no connection is made.

    Args:
        database: Name of the database, which the manifest mentions.
        home: The folder is made in `<home>/dbt`.
        variables: See `project_variables`; None for the project's own defaults.

    Raises:
        DataInsightError: The project does not parse.
    """
    folder = home / "dbt" / f"{project_version(variables)}-{database}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder.parent))
        try:
            arguments = ["parse", *_stated(variables)]
            _invoke(arguments, sa.URL.create("postgresql", database=database), home, target=scratch)
        except DataInsightError:
            shutil.rmtree(scratch)
            raise
        keep = ("manifest.json", "semantic_manifest.json", _PARSED)
        for path in scratch.iterdir():
            if path.name not in keep:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        # Another process may have been quicker; its result is the same.
        try:
            scratch.rename(folder)
        except OSError:
            shutil.rmtree(scratch)
    return folder


def build(
    warehouse: Warehouse,
    home: Path,
    *,
    full_refresh: bool = False,
    selection: Sequence[str] = (),
    variables: Variables | None = None,
) -> BuildOutcome:
    """Build and test the models, all of them or a selection, in the warehouse.

    Args:
        warehouse: The database; dbt acts as the role `transformer`.
        home: Its working files go to `<home>/dbt`.
        full_refresh: Rebuild incremental models from raw.
        selection: dbt's own selection arguments, such as `["--select", "dim_users"]`.
        variables: See `project_variables`; None for the project's own defaults.

    Raises:
        DataInsightError: dbt could not run at all. Failed models and tests are in the outcome.
    """
    # Unit tests prove the code, not the data: they are run by the tests of the project, not by each pass.
    # What dbt would write of the project and of the build is in the folder of the parsed project and in the outcome.
    arguments = ["build", "--no-write-json", "--exclude-resource-type", "unit_test", *selection, *_stated(variables)]
    if full_refresh:
        arguments.append("--full-refresh")
    folder = prepare_manifest(warehouse.url_object.database or "", home, variables)
    results = _invoke(arguments, warehouse.url_object, home, target=home / "dbt" / "target", parsed=folder / _PARSED)
    return BuildOutcome(
        [
            NodeOutcome(
                unique_id=result.node.unique_id,
                status=str(result.status),
                seconds=result.execution_time,
                message=(result.message or "").strip(),
                failures=result.failures,
            )
            for result in results
        ]
    )


def write_documentation(warehouse: Warehouse, home: Path, *, variables: Variables | None = None) -> Path:
    """The page that dbt makes of the project and of what it finds built in the warehouse; it needs no other file.

    Args:
        warehouse: The database; dbt acts as the role `transformer`.
        home: The page is made in `<home>/dbt/docs`.
        variables: See `project_variables`; None for the project's own defaults.

    Raises:
        DataInsightError: dbt could not make it.
    """
    folder = home / "dbt" / "docs"
    page = folder / "static_index.html"
    page.unlink(missing_ok=True)
    _invoke(["docs", "generate", "--static", *_stated(variables)], warehouse.url_object, home, target=folder)
    if not page.exists():
        raise DataInsightError(
            "dbt made no documentation of the models", hint=f"the whole story is in {home / 'logs' / 'dbt'}"
        )
    return page


def run_command(warehouse: Warehouse, home: Path, arguments: Sequence[str], *, variables: Variables) -> bool:
    """Run any dbt command, which speaks for itself on the terminal; tells whether it succeeded.

    Args:
        warehouse: The database; dbt acts as the role `transformer`.
        home: Its working files go to `<home>/dbt`.
        arguments: The command and its options; variables given there are added to those of the platform.
        variables: See `project_variables`.

    Raises:
        DbtUsageError: dbt knows no such command or option, which it does not say itself.
        DataInsightError: dbt could not do it at all, or the variables given with the command cannot be read.
    """
    from dbt.cli.exceptions import DbtUsageException
    from dbt.cli.main import dbtRunner

    places = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    # A folder of its own: dbt parses everything again for other variables, and the next run should not have to.
    places += ["--target-path", str(home / "dbt" / "command"), "--log-path", str(home / "logs" / "dbt")]
    if "--help" in arguments:
        return bool(dbtRunner().invoke(list(arguments)).success)
    with _profile_environment(warehouse.url_object):
        result = dbtRunner().invoke([*_with_variables(arguments, variables), *places])
    if isinstance(result.exception, DbtUsageException):
        raise DbtUsageError(str(result.exception) or "an argument is missing") from result.exception
    if result.exception is not None:
        # Of an error of dbt's own, `msg` leaves out where in the project it was raised, which dbt has printed.
        reason = " ".join(str(getattr(result.exception, "msg", result.exception)).split())
        raise DataInsightError(
            f"dbt {arguments[0]}: {reason or type(result.exception).__name__}",
            hint=f"the whole story is in {home / 'logs' / 'dbt'}",
        ) from result.exception
    return bool(result.success)


def _with_variables(arguments: Sequence[str], variables: Variables) -> list[str]:
    """The arguments with one set of variables: the platform's, and over them those of the last `--vars`, as in dbt."""
    told: list[str] = []
    said: str | None = None
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--vars":
            said = next(remaining, "")
        elif argument.startswith("--vars="):
            said = argument.removeprefix("--vars=")
        else:
            told.append(argument)
    given = {} if said is None else _read_variables(said)
    return [*told, "--vars", json.dumps({**variables, **given}, default=str)]


def _read_variables(text: str) -> dict[str, Any]:
    import yaml

    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError:
        given = None
    if not isinstance(given, dict) or not given:
        raise DataInsightError(f"--vars {text!r} is no set of variables", hint="write --vars 'as_of: 12'")
    return given


def _stated(variables: Variables | None) -> list[str]:
    """The variables as an option, said alike each time: other ones make dbt parse every file again."""
    return [] if variables is None else ["--vars", json.dumps(variables, sort_keys=True)]


def _invoke(
    arguments: list[str],
    url: sa.URL,
    home: Path,
    *,
    target: Path,
    parsed: Path | None = None,
) -> Sequence[Any]:
    from dbt.cli.main import dbtRunner

    manifest = None if parsed is None else read_manifest(parsed)
    with _profile_environment(url):
        result = dbtRunner(manifest=manifest).invoke(
            [
                *arguments,
                *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
                *("--target-path", str(target), "--log-path", str(home / "logs" / "dbt")),
                *("--log-level", "none", "--log-level-file", "info", "--no-use-colors-file"),
            ]
        )
    if result.exception is not None:
        reason = " ".join(str(result.exception).split())
        raise DataInsightError(
            f"dbt {arguments[0]} could not run: {reason}",
            hint=f"the whole story is in {home / 'logs' / 'dbt'}",
        ) from result.exception
    return getattr(result.result, "results", ()) or ()


def read_manifest(parsed: Path) -> Any:
    """What dbt parsed before, taken as it is: looking for changes again takes it a second, parsing anew four."""
    from dbt.contracts.graph.manifest import Manifest

    manifest = Manifest.from_msgpack(parsed.read_bytes())
    # dbt does so with what it has read itself; macros ask it for the models that there are.
    manifest.build_flat_graph()
    return manifest


@contextmanager
def _profile_environment(url: sa.URL) -> Iterator[None]:
    """The variables that `dbt_project/profiles.yml` reads, for as long as dbt runs."""
    given = {
        # dbt's own connection goes through libpq, which takes the TLS options from its variables.
        **libpq_environment(url),
        "WAREHOUSE_HOST": url.host or "localhost",
        "WAREHOUSE_PORT": str(url.port or 5432),
        "WAREHOUSE_USER": url.username or "",
        "WAREHOUSE_PASSWORD": str(url.password or ""),
        "WAREHOUSE_DBNAME": url.database or "",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
