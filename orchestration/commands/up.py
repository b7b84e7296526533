"""`datainsight up`: PostgreSQL, Dagster's pages and daemon, the HTTP API, dbt's page about the models, until Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from types import FrameType

from orchestration.commands.output import aside, screen
from warehouse.connect import database_name, open_warehouse
from warehouse.errors import DataInsightError
from warehouse.settings import PROJECT_ROOT, Settings, load_settings

_START_SECONDS = 120
_STOP_SECONDS = 20
_POLL_SECONDS = 0.2
_DOCS_SECONDS = 60

_DOCS = "models-documentation"


def up() -> None:
    """Keep the platform running: PostgreSQL, Dagster's web pages and schedules. Ctrl-C stops all of it."""
    from connectors.config import load_sources
    from orchestration.dbt import prepare_manifest, project_variables
    from orchestration.instance import dagster_environment

    settings = load_settings()
    sources = load_sources(settings.sources, settings.home)
    stopping = _Stopping()
    with open_warehouse(settings) as warehouse:
        if warehouse.notice:
            aside.print(warehouse.notice)
        variables = project_variables(settings, (source.name for source in sources))
        prepare_manifest(database_name(settings), settings.home, variables)
        environment = {**os.environ, **dagster_environment(warehouse, settings.home)}
        port = _free_port(settings.dagster_port, "DATAINSIGHT_DAGSTER_PORT")
        docs_port = _free_port(settings.docs_port, "DATAINSIGHT_DOCS_PORT", but={port})
        api_port = _free_port(settings.api_port, "DATAINSIGHT_API_PORT", but={port, docs_port})
        children = _start(settings, environment, _dagster_commands(port))
        operations_port = _free_port(
            settings.operations_port, "DATAINSIGHT_OPERATIONS_PORT", but={port, docs_port, api_port}
        )
        ports = {"DATAINSIGHT_API_PORT": str(api_port), "DATAINSIGHT_OPERATIONS_PORT": str(operations_port)}
        children |= _start(settings, environment | ports, {"api": ["-m", "serving"]})
        docs = _start(settings, environment, {_DOCS: ["-m", "orchestration.docs_site", str(docs_port)]})
        try:
            _wait_until(
                lambda: _answers(api_port, "/health/live") and _answers(port, "/server_info"), children, stopping
            )
            # The page is made while Dagster starts and is ready about then; without it everything else still works.
            made_until = time.monotonic() + _DOCS_SECONDS
            _wait_until(
                lambda: _answers(docs_port, "/") or docs[_DOCS].poll() is not None or time.monotonic() > made_until,
                children,
                stopping,
            )
            if not stopping.asked:
                screen.print(f"Dagster     http://127.0.0.1:{port}")
                screen.print(f"API         http://127.0.0.1:{api_port}/api/v1 (`datainsight keys add` makes a key)")
                screen.print(f"Operations  http://127.0.0.1:{operations_port}/metrics, for Prometheus")
                host = warehouse.url_object
                screen.print(f"PostgreSQL  {host.host}:{host.port}/{host.database} (`datainsight warehouse url`)")
                if docs[_DOCS].poll() is None:
                    screen.print(f"Models      http://127.0.0.1:{docs_port} (their documentation)")
                else:
                    why = f"why is in {_DOCS}.log in <home>/logs"
                    aside.print(f"the models' documentation could not be made; {why}", soft_wrap=True)
                screen.print("Ctrl-C stops all of it")
            _wait_until(lambda: stopping.asked, children, stopping, seconds=None)
        finally:
            aside.print("stopping …", style="dim")
            _stop({**children, **docs})


class _Stopping:
    """Remembers that somebody asked us to stop, by Ctrl-C or by `kill`."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def _dagster_commands(port: int) -> dict[str, list[str]]:
    workspace = ["-w", str(PROJECT_ROOT / "workspace.yaml")]
    return {
        "dagster-webserver": ["-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), *workspace],
        "dagster-daemon": ["-m", "dagster._daemon", "run", *workspace],
    }


def _start(
    settings: Settings, environment: dict[str, str], commands: dict[str, list[str]]
) -> dict[str, subprocess.Popen[bytes]]:
    logs = settings.home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    children = {}
    for name, command in commands.items():
        with (logs / f"{name}.log").open("ab") as log:
            # A session of its own: Ctrl-C reaches us alone, and we stop the children in order.
            children[name] = subprocess.Popen(
                [sys.executable, *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    return children


def _wait_until(
    condition: Callable[[], bool],
    children: dict[str, subprocess.Popen[bytes]],
    stopping: _Stopping,
    *,
    seconds: float | None = _START_SECONDS,
) -> None:
    deadline = None if seconds is None else time.monotonic() + seconds
    while not stopping.asked and not condition():
        for name, child in children.items():
            if child.poll() is not None:
                raise DataInsightError(
                    f"{name} ended with code {child.returncode}", hint=f"its log is {name}.log in <home>/logs"
                )
        if deadline is not None and time.monotonic() > deadline:
            raise DataInsightError(f"not everything answered within {seconds} s", hint="the logs are in <home>/logs")
        time.sleep(_POLL_SECONDS)


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200  # noqa: PLR2004
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _stop(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for child in children.values():
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
    for child in children.values():
        with suppress(subprocess.TimeoutExpired):
            child.wait(_STOP_SECONDS)
        # Whatever is left of its session: code servers and run workers.
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        child.wait()


def _free_port(wanted: int, setting: str, *, but: Collection[int] = ()) -> int:
    """`wanted`, or the next port that nobody listens on; never one that is promised to another."""
    for port in range(wanted, min(wanted + 100, 65536)):
        if port in but:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DataInsightError(f"no free port from {wanted} on", hint=f"set {setting}")
