"""Google Cloud Storage, by the shape of its JSON API: a server on loopback lists one object and gives its bytes."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

CONTENT = b"id;v\n1;x\n"
# As in https://cloud.google.com/storage/docs/json_api/v1/objects#resource
OBJECT = {
    "kind": "storage#object", "name": "in/a.csv", "bucket": "lake", "size": str(len(CONTENT)), "etag": "CJf=",
    "generation": "1", "timeCreated": "2024-01-01T00:00:00.000Z", "updated": "2024-01-02T03:04:05.678Z",
}  # fmt: skip


class _Storage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = parse_qs(url.query)
        if url.path.startswith("/download"):
            self._answer(CONTENT, "text/csv")
        elif url.path.endswith("/o"):
            here = str(OBJECT["name"]).startswith(asked.get("prefix", [""])[0])
            self._answer(json.dumps({"items": [OBJECT] if here else []}).encode(), "application/json")
        else:
            self._answer(json.dumps(OBJECT).encode(), "application/json")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the base class.
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Storage) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_object_lands_once(endpoint: str, store: Callable[..., Any]) -> None:
    shop = store("{t: {path: 'gs://lake/in/*.csv'}}", f"endpoint: {endpoint}", "storage_options: {token: anon}")
    shop.land()
    assert shop.all("select id, v from raw_shop.t") == [{"id": "1", "v": "x"}]
    assert shop.column("select path from ops.files") == ["gs://lake/in/a.csv"]
    [[origin]] = shop.column("select origin from ops.batches")
    assert origin["etag"] == OBJECT["etag"]
    assert shop.land() == []
