"""`datainsight up`: the pages answer, earlier runs are there, a job can be launched, Ctrl-C leaves nothing."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.orchestration.conftest import Company
from tests.support import Platform

LAUNCH = """
mutation { launchRun(executionParams: {
    selector: {repositoryLocationName: "datainsight", repositoryName: "__repository__", jobName: "refresh_everything"}
    runConfigData: {}
}) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
ASSETS = "{ assetNodes { assetKey { path } dependencyKeys { path } } }"
FAILURE = """
{ runOrError(runId: "%s") { ... on Run { eventConnection { events {
    ... on ExecutionStepFailureEvent { error { message causes { message } } } ... on RunFailureEvent { message }
} } } } }
"""
RUNS = "{ runsOrError { ... on Runs { results { runId status jobName } } } }"


@pytest.mark.timeout(600)
def test_up_serves_the_graph_and_launches_the_job(ran: Company) -> None:
    earlier = ran.first["run_id"]
    # All want the same port; each takes the next one that nobody has.
    ran.environment |= {f"DATAINSIGHT_{name}_PORT": "3900" for name in ("DAGSTER", "DOCS", "API")}
    process = ran.start("up", start_new_session=True)
    try:
        addresses = printed_addresses(process)
        address = addresses["Dagster"]
        assert addresses["Models"] != address

        documentation = page(addresses["Models"])
        assert '"model.datainsight.fact_user_actions"' in documentation
        assert "<script src=" not in documentation
        with pytest.raises(HTTPError, match="404"):
            page(f"{addresses['Models']}/manifest.json")

        edges = {
            ("/".join(parent["path"]), "/".join(node["assetKey"]["path"]))
            for node in ask(address, ASSETS)["assetNodes"]
            for parent in node["dependencyKeys"]
        }
        assert ("files/saas/accounts", "raw_saas/accounts") in edges
        assert ("raw_saas/accounts", "stg_saas__accounts") in edges
        assert ("fact_user_actions", "metric_store") in edges
        assert runs(address)[earlier] == "SUCCESS"

        (ran.data / "usage_2.csv").write_text((ran.data / "usage_1.csv").read_text().replace("U-", "U-9"))
        launched = ask(address, LAUNCH)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run_id = launched["run"]["runId"]
        wait_until(lambda: runs(address)[run_id] in {"SUCCESS", "FAILURE", "CANCELED"}, seconds=180)
        assert runs(address)[run_id] == "SUCCESS", ask(address, FAILURE % run_id)
        assert ran.metric("feature_uses") == [[14]]

        key = ran.json("keys", "add", "--organization", "A-1")["key"]
        link = Request(  # noqa: S310 - the address is our own server's.
            f"{addresses['API']}/metrics/query?metrics=feature_uses", headers={"Authorization": f"Bearer {key}"}
        )
        with urlopen(link, timeout=60) as response:  # noqa: S310
            assert json.load(response)["rows"] == ran.metric("feature_uses", "--organization", "A-1")
    finally:
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert processes_of_session(process.pid) == []
    assert processes_mentioning(str(ran.folder)) == []


def test_documentation_that_cannot_be_made_is_one_line(platform: Platform) -> None:
    platform.environment["DATAINSIGHT_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.docs_site", "3950"],
        env={"PATH": os.environ["PATH"], "HOME": str(platform.folder), **platform.environment},
        cwd=platform.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "127.0.0.1" in done.stderr


def printed_addresses(process: subprocess.Popen[str]) -> dict[str, str]:
    """The addresses of web pages by the names they are printed with."""
    assert process.stdout is not None
    found = {}
    for line in process.stdout:
        address = re.search(r"^(\w+) +(http://\S+)", line)
        if address:
            found[address.group(1)] = address.group(2)
        if line.startswith("Ctrl-C"):
            return found
    raise AssertionError(process.communicate())


def page(address: str) -> str:
    with urlopen(address, timeout=60) as response:  # noqa: S310 - the address is our own server's.
        content: bytes = response.read()
    return content.decode()


def ask(address: str, query: str) -> dict[str, Any]:
    request = Request(  # noqa: S310 - the address is our own server's.
        f"{address}/graphql", json.dumps({"query": query}).encode(), {"content-type": "application/json"}
    )
    with urlopen(request, timeout=60) as response:  # noqa: S310
        answer: dict[str, Any] = json.load(response)
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]
    return found


def runs(address: str) -> dict[str, str]:
    return {run["runId"]: run["status"] for run in ask(address, RUNS)["runsOrError"]["results"]}


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def processes_of_session(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == session:
                    found.append(int(entry.name))
            except ProcessLookupError:
                continue
    return found


def processes_mentioning(text: str) -> list[str]:
    """Command lines and environments of processes that belong to this test's platform."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                environment = (entry / "environ").read_bytes()
                if f"DATAINSIGHT_HOME={text}".encode() in environment:
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
    return found
