"""`datainsight up`: the pages answer, earlier runs are there, a job can be launched, Ctrl-C leaves nothing."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

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
def test_up_serves_the_graph_and_launches_the_job(platform: Platform, data: Path) -> None:
    earlier = platform.run()["run_id"]
    platform.environment["DATAINSIGHT_DAGSTER_PORT"] = "3900"
    process = platform.start("up", start_new_session=True)
    try:
        address = printed_address(process)

        edges = {
            ("/".join(parent["path"]), "/".join(node["assetKey"]["path"]))
            for node in ask(address, ASSETS)["assetNodes"]
            for parent in node["dependencyKeys"]
        }
        assert ("files/saas/accounts", "raw_saas/accounts") in edges
        assert ("raw_saas/accounts", "stg_saas__accounts") in edges
        assert ("fact_user_actions", "metric_store") in edges
        assert runs(address)[earlier] == "SUCCESS"

        (data / "usage_2.csv").write_text((data / "usage_1.csv").read_text().replace("U-", "U-9"))
        launched = ask(address, LAUNCH)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run_id = launched["run"]["runId"]
        wait_until(lambda: runs(address)[run_id] in {"SUCCESS", "FAILURE", "CANCELED"}, seconds=180)
        assert runs(address)[run_id] == "SUCCESS", ask(address, FAILURE % run_id)
        assert platform.metric("feature_uses") == [[14]]
    finally:
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert processes_of_session(process.pid) == []
    assert processes_mentioning(str(platform.folder)) == []


def printed_address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"http://\S+", line)
        if found:
            return found.group()
    raise AssertionError(process.communicate())


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
