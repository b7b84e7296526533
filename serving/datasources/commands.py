"""The platform's own command, run for a job: the API knows neither how sources are read nor how they land."""

import json
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from serving.datasources.jobs import Job, What
from serving.platform_command import start_command
from warehouse.database import API, Warehouse
from warehouse.datasources import list_datasources, secret_texts_of, unsealed, upload_folder
from warehouse.errors import DataInsightError
from warehouse.settings import Settings

_LARGEST_BYTES = 8 * 1024**2
_END_SECONDS = 10
_SYNC_SAYS = ("rows_landed", "rows_quarantined", "notes", "seconds")
_BATCH_SAYS = ("batch_id", "table_name", "status", "row_count", "quarantined_count")


@dataclass(frozen=True)
class Outcome:
    """What came of a command.

    Attributes:
        status: `succeeded`, `failed`, or `queued` when it was ended because the server ends.
        result: As the job tells it: without secrets, and without paths of this machine.
    """

    status: str
    result: dict[str, Any] | None


class Command:
    """One run of the command, which somebody else may stop.

    Args:
        settings: What the command is to see.
        job: What it is for.
    """

    def __init__(self, settings: Settings, job: Job) -> None:
        self._settings, self._job = settings, job
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False
        self._starting = threading.Lock()

    def stop(self) -> None:
        """End it; the job is to be done again."""
        with self._starting:
            self._is_stopped = True
            if self._process is not None:
                _signal(self._process, signal.SIGTERM)

    def run(self, warehouse: Warehouse) -> Outcome:
        """Run it to its end, at most for `DATAINSIGHT_JOB_SECONDS`."""
        hidden = _hidden(self._settings, warehouse, self._job)
        seconds = self._settings.job_seconds
        with tempfile.TemporaryFile() as answer:
            with self._starting:
                if self._is_stopped:
                    return Outcome("queued", None)
                # What it tells of its progress is for people; what a library logs may be anything.
                self._process = start_command(
                    self._settings, _arguments(self._settings, self._job), stdout=answer, stderr=subprocess.DEVNULL
                )
            is_late = not _ends(self._process, seconds)
            if self._is_stopped:
                return Outcome("queued", None)
            if is_late:
                return _failed(f"it took longer than {seconds:,} s", "ask for fewer tables, or by a cursor")
            if answer.seek(0, os.SEEK_END) > _LARGEST_BYTES:
                return _failed(f"the answer has more than {_LARGEST_BYTES:,} bytes", "choose tables")
            answer.seek(0)
            return outcome_of(self._job.what, self._process.returncode, answer.read(), hidden)


def outcome_of(what: str, code: int, answer: bytes, hidden: Mapping[str, str]) -> Outcome:
    """What an answer of the command means for a job.

    Args:
        what: What was asked for.
        code: What the command ended with.
        answer: What it printed.
        hidden: Patterns of what is not told, and what stands in its place.
    """
    try:
        told = json.loads(answer)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return _failed(f"the command ended with code {code} and without an answer", "try again; nothing is lost")
    longest_first = sorted(hidden.items(), key=lambda pair: -len(pair[0]))
    told = _without(told, [(re.compile(pattern), instead) for pattern, instead in longest_first])
    result: dict[str, Any] = {"tables": told["tables"]} if "tables" in told else {}
    if what == What.SYNC and "batches" in told:
        result = {name: told[name] for name in _SYNC_SAYS if name in told}
        result["batches"] = [{name: batch[name] for name in _BATCH_SAYS} for batch in told["batches"]]
    if "error" in told:
        return Outcome("failed", {"detail": told["error"], "hint": told.get("hint"), **result})
    # `check` ends with code 1 when a table has a problem: it has done what it was asked for.
    return Outcome("succeeded", result)


def _arguments(settings: Settings, job: Job) -> Sequence[str]:
    if job.what == What.SYNC:
        # The pass that is going on ends first.
        return ["run", "--source", job.datasource_id, "--wait", str(settings.job_seconds), "--json"]
    return ["sources", job.what, job.datasource_id, "--json"]


def places_of(url: sa.URL) -> dict[str, str]:
    """Where the platform's own database is, in whatever words an error says it: patterns, and what stands for them."""
    host, port, database = re.escape(url.host or "localhost"), url.port or 5432, re.escape(url.database or "")
    password = secret_texts_of({("password",): str(url.password or "")})
    return {
        rf"postgres(?:ql)?(?:\+\w+)?://[^@\s]*@\[?{host}\]?(?::\d+)?(?:/{database})?(?:\?\S*)?": "***",
        rf"\[?{host}\]?:{port}(?:/{database})?": "***",
        # As libpq says it: "db.internal" (10.0.0.5), port 5432.
        rf'"{host}"(?: \([0-9A-Fa-f.:]+\))?, port {port}': "***",
        **dict.fromkeys(map(re.escape, password), "***"),
    }


def _hidden(settings: Settings, warehouse: Warehouse, job: Job) -> dict[str, str]:
    """The source's secrets, the folder of its files, which are called as its owner has called them, and our places."""
    with warehouse.engine(API).connect() as connection:
        found = list_datasources(connection, datasource_id=job.datasource_id)
    folder = upload_folder(settings.home, job.organization_id, job.datasource_id)
    texts = {f"{folder}/": "", str(folder): "", f"{settings.home}/": "", str(settings.home): ""}
    for datasource in found:
        # With another key the command will say so, and can tell nothing that it cannot read.
        with suppress(DataInsightError):
            texts |= dict.fromkeys(secret_texts_of(unsealed(settings, datasource)), "***")
    return {**{re.escape(text): instead for text, instead in texts.items()}, **places_of(warehouse.url_object)}


def _without(value: Any, hidden: Sequence[tuple[re.Pattern[str], str]]) -> Any:
    match value:
        case str():
            for pattern, instead in hidden:
                value = pattern.sub(instead, value)
            # PostgreSQL keeps no NUL.
            return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
        case dict():
            return {_without(name, hidden): _without(item, hidden) for name, item in value.items()}
        case list():
            return [_without(item, hidden) for item in value]
    return value


def _ends(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether it ends in time by itself; it has ended afterwards in any case, with whatever it has started."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
        return False
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()
    return True


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    # Its session is called by its own number; once that is gone, so is everything it has started.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _failed(detail: str, hint: str) -> Outcome:
    return Outcome("failed", {"detail": detail, "hint": hint})
