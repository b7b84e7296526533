"""Runs the application on its port, with one JSON line in the log for each request."""

import logging
import signal
import socket
import threading
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

from warehouse.errors import DataInsightError
from warehouse.settings import Settings

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

_BACKLOG = 2048


def serve(settings: Settings) -> None:
    """Answer until SIGINT or SIGTERM; requests that are under way are answered first.

    Raises:
        DataInsightError: The warehouse cannot be opened, or the port is taken.
    """
    from serving.http.app import create_app
    from serving.http.operations import create_operations
    from serving.http.state import open_state

    # uvicorn ends with the signal that it was stopped by; the warehouse wants to be let go of first.
    signal.signal(signal.SIGTERM, _end)
    with (
        _listening(settings.api_host, settings.api_port, "API") as listening,
        _listening(settings.operations_host, settings.operations_port, "OPERATIONS") as operations_listening,
        open_state(settings) as state,
        suppress(KeyboardInterrupt),
    ):
        _log_requests()
        app = create_app(settings, state)
        server = _server(app)
        # In a thread of its own it leaves the signals to the other one.
        operations = _server(create_operations(app))
        beside = threading.Thread(target=operations.run, args=([operations_listening],), name="operations", daemon=True)
        try:
            beside.start()
            server.run([listening])
        finally:
            operations.should_exit = True
            beside.join()


def _server(app: "FastAPI") -> "uvicorn.Server":
    import uvicorn

    return uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning", server_header=False))


def _listening(host: str, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise DataInsightError(
            f"nobody can listen on {host}:{port}: {error.strerror or error}",
            hint=f"set DATAINSIGHT_{setting}_PORT",
        ) from error


def _log_requests() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    requests = logging.getLogger("datainsight.access")
    requests.addHandler(handler)
    requests.setLevel(logging.INFO)
    requests.propagate = False


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
