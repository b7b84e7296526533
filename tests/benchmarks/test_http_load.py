"""Clients that ask a real server: each question once, each answer seen, and a refusal is no answer."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.http_load import load


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked; `refused` is refused."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(503 if b"refused" in asked else 200)
        self.send_header("Content-Length", str(len(asked)))
        self.end_headers()
        self.wfile.write(asked)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("per_second", [None, 500])
def test_each_question_is_asked_once(port: int, per_second: int | None) -> None:
    seen: list[bytes] = []
    taken = load(port, ["a", "b"], 4, 60, lambda number: ("/", number), per_second=per_second, look=seen.append)
    assert sorted(int(answer) for answer in seen) == list(range(60))
    assert len(taken.milliseconds) == 60
    assert 0 < taken.percentile(50) <= taken.percentile(99)
    if per_second is not None:
        # The last one is due after 59 of 500 parts of a second.
        assert taken.per_second <= 60 / (59 / per_second)


def test_a_refusal_ends_the_load(port: int) -> None:
    with pytest.raises(RuntimeError, match="503"):
        load(port, ["a"], 2, 100, lambda number: ("/", "refused" if number == 20 else number))
