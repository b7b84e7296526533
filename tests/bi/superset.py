"""A Superset of its own on loopback, asked over its REST API: what a user clicks, as requests."""

import json
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

_STARTS_WITHIN_SECONDS = 300


@dataclass
class Superset:
    """Superset with a copy of the empty notes that `make superset` has made, for as long as the context lasts.

    Attributes:
        program: The command `superset` of the environment it is installed in.
        folder: Where it keeps its notes, its settings and its log.
    """

    program: Path
    folder: Path
    _port: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _session: requests.Session = field(default_factory=requests.Session)

    def __enter__(self) -> "Superset":
        password = secrets.token_hex()
        settings = self.folder / "superset_config.py"
        settings.write_text(
            f"SECRET_KEY = {secrets.token_urlsafe(48)!r}\n"
            f"SQLALCHEMY_DATABASE_URI = 'sqlite:///{self.folder / 'superset.db'}'\n"
        )
        shutil.copyfile(self.program.parents[1] / "superset.db", self.folder / "superset.db")
        self._command(
            *("fab", "create-admin", "--username", "admin", "--password", password),
            *("--firstname", "Ada", "--lastname", "Admin", "--email", "admin@example.com"),
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._process = self._start("run", "--host", "127.0.0.1", "--port", str(self._port), "--with-threads")
        try:
            self._wait()
            self._log_in(password)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._session.close()
        self._process.terminate()
        self._process.wait()

    def connect(self, url: str) -> int:
        """Settings, Database connections, + Database: test the connection, then save it; gives its id.

        Writing is allowed, so that it is the warehouse that refuses it and not Superset.
        """
        uri = url.replace("postgresql://", "postgresql+psycopg2://", 1)
        self.post("database/test_connection/", {"sqlalchemy_uri": uri})
        created = self.post("database/", {"database_name": "warehouse", "sqlalchemy_uri": uri, "allow_dml": True})
        return int(created["id"])

    def tables(self, database: int, schema: str) -> list[str]:
        """What is offered for `schema` in SQL Lab and for a new dataset."""
        found = self.get(f"database/{database}/tables/", q=f"(schema_name:{schema})")["result"]
        return [table["value"] for table in found]

    def table(self, database: int, schema: str, name: str) -> dict[str, Any]:
        """What SQL Lab shows of a table: its comment, columns with theirs, and keys."""
        return self.get(f"database/{database}/table_metadata/", name=name, schema=schema)

    def dataset(self, database: int, schema: str, table: str) -> int:
        """Datasets, + Dataset: make one of a table, or find the one that is there; gives its id."""
        asked = {"database_id": database, "schema": schema, "table_name": table}
        return int(self.post("dataset/get_or_create/", asked)["result"]["table_id"])

    def chart(self, dataset: int, name: str, *, day: str, measure: str) -> list[tuple[str, float]]:
        """Charts, + Chart: save a line of `measure` (SQL) by month of the column `day`, and draw it."""
        axis = {"columnType": "BASE_AXIS", "expressionType": "SQL", "label": day, "sqlExpression": day}
        metric = {"expressionType": "SQL", "sqlExpression": measure, "label": name}
        source = {"id": dataset, "type": "table"}
        asked = {"columns": [axis | {"timeGrain": "P1M"}], "metrics": [metric], "row_limit": 10_000}
        form = {
            "viz_type": "echarts_timeseries_line",
            "datasource": f"{dataset}__table",
            "x_axis": day,
            "time_grain_sqla": "P1M",
            "metrics": [metric],
        }
        context = {
            "datasource": source,
            "queries": [asked],
            "form_data": form,
            "result_format": "json",
            "result_type": "full",
        }
        chart = self.post(
            "chart/",
            {
                "slice_name": name,
                "viz_type": form["viz_type"],
                "datasource_id": dataset,
                "datasource_type": "table",
                "params": json.dumps(form),
                "query_context": json.dumps(context),
            },
        )
        (drawn,) = self.get(f"chart/{chart['id']}/data/")["result"]
        return sorted((_day(row[day]), row[name]) for row in drawn["data"])

    def sql(self, database: int, statement: str) -> requests.Response:
        """SQL Lab: run a statement; a refusal is a response like any other."""
        return self._session.post(
            self._address("sqllab/execute/"), json={"database_id": database, "sql": statement, "runAsync": False}
        )

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        """An answer of the API."""
        return _answer(self._session.get(self._address(path), params=parameters))

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make something, and what the API says of it."""
        return _answer(self._session.post(self._address(path), json=body))

    def _log_in(self, password: str) -> None:
        who = {"username": "admin", "password": password, "provider": "db"}
        self._session.headers["Authorization"] = f"Bearer {self.post('security/login', who)['access_token']}"
        # Superset takes changes only from whoever holds the token of the session's cookie.
        self._session.headers["X-CSRFToken"] = str(self.get("security/csrf_token/")["result"])

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _STARTS_WITHIN_SECONDS
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self._said()
            try:
                if requests.get(f"http://127.0.0.1:{self._port}/health", timeout=5).ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.2)
        raise AssertionError(self._said())

    def _command(self, *arguments: str) -> None:
        assert self._start(*arguments).wait() == 0, self._said()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / "superset.log").open("ab") as log:
            return subprocess.Popen(
                [self.program, *arguments], env=self._environment(), stdout=log, stderr=subprocess.STDOUT
            )

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "FLASK_APP": "superset",
            "SUPERSET_HOME": str(self.folder),
            "SUPERSET_CONFIG_PATH": str(self.folder / "superset_config.py"),
        }

    def _said(self) -> str:
        return (self.folder / "superset.log").read_text(errors="replace")[-4000:]

    def _address(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}/api/v1/{path}"


def _answer(response: requests.Response) -> dict[str, Any]:
    assert response.ok, f"{response.request.method} {response.url}: {response.status_code} {response.text[:2000]}"
    answer: dict[str, Any] = response.json()
    return answer


def _day(moment: str | float) -> str:
    """A day of a chart's axis, which comes in milliseconds or as ISO text, as ISO text."""
    if isinstance(moment, str):
        return moment[:10]
    return time.strftime("%Y-%m-%d", time.gmtime(moment / 1000))
