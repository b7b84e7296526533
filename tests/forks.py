"""Processes without the seconds of imports that each would begin with: forked from one that has done nothing else.

A forked process is as real as one that was started: it has its own memory, environment, folder, exit code and signals.
Run as a program, this is the process that they are forked from; it ends when whoever started it does.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

REPOSITORY = Path(__file__).resolve().parents[1]
LONGEST_REQUEST_BYTES = 1 << 20


class ForkedProcess:
    """As much of `subprocess.Popen` as the tests need.

    Attributes:
        returncode: As of `Popen`: None while it runs, -9 when it was killed.
    """

    def __init__(self, connection: socket.socket, stdin: int, stdout: int, stderr: int) -> None:
        self._connection = connection
        self.returncode: int | None = None
        self.pid = int(self._receive())
        self.stdin: IO[str] = os.fdopen(stdin, "w", encoding="utf-8")
        self.stdout: IO[str] = os.fdopen(stdout, encoding="utf-8")
        self.stderr: IO[str] = os.fdopen(stderr, encoding="utf-8")

    def poll(self) -> int | None:
        """The exit code, if it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, seconds: float | None = None) -> int:
        """Wait for its end; the exit code.

        Raises:
            subprocess.TimeoutExpired: It has not ended by then.
        """
        if self.returncode is None:
            if seconds is not None and not select.select([self._connection], [], [], seconds)[0]:
                raise subprocess.TimeoutExpired("a forked process", seconds)
            self.returncode = int(self._receive())
            self._connection.close()
        return self.returncode

    def kill(self) -> None:
        """`kill -9` it, if it runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def communicate(self, given: str | None = None) -> tuple[str, str]:
        """Write to it, read all that it prints, and wait for its end."""
        said: dict[str, str] = {"stdout": "", "stderr": ""}

        def read(name: str, stream: IO[str]) -> None:
            with stream:
                said[name] = stream.read()

        readers = [
            threading.Thread(target=read, args=(name, stream))
            for name, stream in (("stdout", self.stdout), ("stderr", self.stderr))
            if not stream.closed
        ]
        for reader in readers:
            reader.start()
        # It may have ended without having read what it was given.
        with contextlib.suppress(BrokenPipeError):
            if given and not self.stdin.closed:
                self.stdin.write(given)
                self.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            self.stdin.close()
        for reader in readers:
            reader.join()
        self.wait()
        return said["stdout"], said["stderr"]

    def _receive(self) -> bytes:
        said = self._connection.recv(32)
        assert said, "the process that forks has ended"
        return said


def fork(
    program: str, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], imported: Sequence[str]
) -> ForkedProcess:
    """Begin `python -m program arguments` where its imports have ended.

    Args:
        program: The module; its `main()` reads `sys.argv`, and what it returns is the exit code.
        folder: Its working folder.
        environment: All of its environment.
        imported: What the process that it is forked from has imported; there is one such process for all that name
            the same.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(_forker(tuple(imported)))
    (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr) = (os.pipe() for _ in range(3))
    request = {"program": program, "arguments": list(arguments), "folder": str(folder), "environment": {**environment}}
    socket.send_fds(connection, [json.dumps(request).encode()], [stdin, stdout, stderr])
    for end in (stdin, stdout, stderr):
        os.close(end)
    return ForkedProcess(connection, to_stdin, from_stdout, from_stderr)


@functools.cache
def _forker(imported: tuple[str, ...]) -> str:
    """The address of a process that has imported these; it lives as long as this one does."""
    folder = tempfile.mkdtemp(prefix="forks")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    address = f"{folder}/socket"
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, address, *imported],
        env={
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(REPOSITORY),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        },
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    atexit.register(process.kill)
    assert process.stdout is not None
    assert process.stdout.read(1), f"{imported} cannot be imported"
    return address


def _await_request(listener: socket.socket) -> dict[str, Any]:
    """Fork for each request; returns in the process that was forked."""
    while True:
        readable, _, _ = select.select([listener, sys.stdin], [], [])
        if listener not in readable:
            os._exit(0)
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            return _fork_watched(connection)
        connection.close()


def _fork_watched(connection: socket.socket) -> dict[str, Any]:
    """Fork once more, watch that process and tell how it ended; returns in it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    message, streams, _, _ = socket.recv_fds(connection, LONGEST_REQUEST_BYTES, 3)
    pid = os.fork()
    if pid == 0:
        connection.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        request: dict[str, Any] = json.loads(message)
        return request
    for stream in streams:
        os.close(stream)
    connection.send(str(pid).encode())
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(BrokenPipeError):
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _run(request: dict[str, Any]) -> None:
    """Run the program to its end, which is the end of this process; its modules are not taken apart one by one."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = [request["program"], *request["arguments"]]
    code = 1
    try:
        code = importlib.import_module(request["program"]).main() or 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as Python itself does with whatever a program does not catch.
        sys.excepthook(*sys.exc_info())
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _main(address: str, *imported: str) -> None:
    for module in imported:
        importlib.import_module(module)
    gc.freeze()
    # As in the tests' own processes (tests/conftest.py).
    gc.set_threshold(50_000, 20, 100)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.write(1, b".")
    _run(_await_request(listener))


if __name__ == "__main__":
    _main(*sys.argv[1:])
