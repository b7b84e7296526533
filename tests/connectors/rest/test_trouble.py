"""An API that limits, stumbles, lies or refuses: asked again as long as that helps, then one clear line."""

import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from connectors.rest.definition import Limit
from connectors.rest.limits import Limiter
from tests.connectors.rest.conftest import Rest
from tests.connectors.rest.vendor import Reply
from warehouse.errors import DataInsightError

FINE = Reply(200, [{"id": 1}])
ERRORS = {"errors": {"reset_header": "X-Reset", "rate_limited": [{"status_code": 403, "content": "secondary"}]}}


def now(seconds: int = 0) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "limited",
    [
        Reply(429, {}, {"Retry-After": "0"}),
        Reply(429, {}, {"Retry-After": format_datetime(now(-5), usegmt=True)}),
        Reply(429, {}, {"X-Reset": str(int(now(-1).timestamp()))}),
        Reply(429, {}),
        Reply(503, {}, {"Retry-After": "0"}),
        Reply(403, {"message": "secondary rate limit"}),
        Reply(500, {"error": "oops"}),
        Reply(502, raw=b"<html>Bad gateway</html>"),
        Reply(200, raw=b'[{"id": 1}, {"id"'),
        Reply(200, raw=b"<html>Maintenance</html>", headers={"Content-Type": "text/html"}),
        Reply(200, raw=b'[{"id": 1}]', headers={"Content-Length": "99", "Connection": "close"}),
        Reply(200, raw=b"no gzip", headers={"Content-Encoding": "gzip"}),
    ],
    ids=lambda reply: f"{reply.status} {next(iter(reply.headers), '')}",
)
def test_what_passes_is_asked_again(limited: Reply, rest: Callable[..., Rest]) -> None:
    api = rest([limited, limited, FINE], {"data_selector": "$"}, more=ERRORS)
    extracted = api.extract()
    assert extracted.column("id") == ["1"]
    assert extracted.portions["items"].origin | {"request": ""} == {
        "request": "",
        "pages": 1,
        "requests": 3,
        "retries": 2,
    }


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(429, {"message": "slow down"}, {"Retry-After": "0"}), "in 3 tries: 429 Too Many Requests: too many"),
        (
            Reply(429, {}, {"Retry-After": "3600"}),
            "would have to wait 3,600 s more after 0 s, longer than its patience",
        ),
        (Reply(500, {"error": {"message": "our fault"}}), "in 3 tries: 500 Internal Server Error: our fault"),
        (Reply(200, raw=b"hello"), "an answer that is no JSON"),
    ],
)
def test_after_the_last_try_it_is_one_clear_line(reply: Reply, says: str, rest: Callable[..., Rest]) -> None:
    api = rest([reply], {"data_selector": "$"}, settings={"retries": 2, "patience": "10 seconds"})
    with pytest.raises(DataInsightError, match=says) as error:
        api.extract()
    assert error.value.message.startswith(f"GET {api.server.url}/items ")
    assert "\n" not in error.value.message
    assert len(api.server.calls) <= 3


@pytest.mark.parametrize(
    ("status", "body", "says", "hint"),
    [
        (400, {"error": {"message": "no such field"}}, "400 Bad Request: no such field", ""),
        (401, {"message": "bad key sk_secret"}, "401 Unauthorized: bad key ***", "is the credential right"),
        (403, [{"message": "API_DISABLED"}], "403 Forbidden: API_DISABLED", "leave the table out"),
        (404, {"errors": ["not here"]}, "404 Not Found: not here", "is base_url right"),
        (302, {}, "302 Found", ""),
    ],
)
def test_what_does_not_pass_is_told_at_once(
    status: int, body: Any, says: str, hint: str, rest: Callable[..., Rest]
) -> None:
    api = rest(
        [Reply(status, body)],
        {"data_selector": "$"},
        client={"auth": {"type": "bearer", "token": "{key}"}},
        more={"parameters": {"key": {"description": "a key", "secret": True}}},
        settings={"parameters": {"key": "sk_secret"}},
    )
    with pytest.raises(DataInsightError) as error:
        api.extract()
    assert says in error.value.message
    assert hint in (error.value.hint or "")
    assert "sk_secret" not in f"{error.value.message}{error.value.__cause__!r}{error.value.__context__!r}"
    assert len(api.server.calls) == 1


def test_an_error_inside_a_200_is_an_error(rest: Callable[..., Rest]) -> None:
    errors = {
        "errors": {
            "message_path": "error",
            "failed_when": {"path": "ok", "equals": False},
            "rate_limited": [{"path": "error", "equals": "ratelimited"}],
        }
    }
    limited, refused = Reply(200, {"ok": False, "error": "ratelimited"}), Reply(200, {"ok": False, "error": "no_scope"})
    api = rest([limited, refused], {"data_selector": "items"}, more=errors)
    with pytest.raises(DataInsightError, match="was answered 200 OK: no_scope"):
        api.extract()
    assert len(api.server.calls) == 2


def test_a_path_alone_says_that_something_is_wrong_when_something_is_there(rest: Callable[..., Rest]) -> None:
    def answer(said: dict[str, Any]) -> Rest:
        rows = Reply(200, {"data": {"items": [{"id": 1}]}, **said})
        errors = {"errors": {"message_path": "errors[*].message", "failed_when": {"path": "errors"}}}
        return rest([rows], {"data_selector": "data.items"}, more=errors)

    for nothing in ({}, {"errors": None}, {"errors": []}, {"errors": False}):
        assert answer(nothing).extract().column("id") == ["1"]
    with pytest.raises(DataInsightError, match="was answered 200 OK: Field 'nam' doesn't exist"):
        answer({"errors": [{"message": "Field 'nam' doesn't exist"}]}).extract()


def test_an_answer_that_is_to_be_ignored_is_an_empty_page(rest: Callable[..., Rest]) -> None:
    endpoint = {"data_selector": "$", "response_actions": [{"status_code": 404, "content": "gone", "action": "ignore"}]}
    assert rest([Reply(404, {"message": "gone"})], endpoint).extract().rows("items") == []
    with pytest.raises(DataInsightError, match="404"):
        rest([Reply(404, {"message": "other"})], endpoint).extract()


def test_a_server_that_is_not_there_or_does_not_answer_is_one_line(rest: Callable[..., Rest]) -> None:
    api = rest([FINE], settings={"retries": 1, "timeout": "0.2 seconds"})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        api.settings["base_url"] = url
        with pytest.raises(DataInsightError, match=r"/items got no usable answer in 2 tries: no answer within 0.2 s"):
            api.extract()
    with pytest.raises(DataInsightError, match=r"in 2 tries: the connection failed: Failed to establish a .*refused"):
        api.extract()


def test_a_connection_that_breaks_is_made_again(rest: Callable[..., Rest]) -> None:
    api = rest([FINE])
    with socket.create_server(("127.0.0.1", 0)) as server:

        def break_off_and_answer() -> None:
            broken, _ = server.accept()
            broken.close()
            sound, _ = server.accept()
            with sound:
                sound.recv(65536)
                sound.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\n[{"id": 1}]')

        thread = threading.Thread(target=break_off_and_answer)
        thread.start()
        api.settings["base_url"] = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert api.extract().column("id") == ["1"]
        thread.join()


def test_no_more_requests_than_the_limits_allow() -> None:
    time, waits = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        time[0] += seconds

    limiter = Limiter([Limit(requests=2, seconds=1), Limit(requests=3, seconds=60)], clock=lambda: time[0], sleep=sleep)
    for _ in range(4):
        limiter.wait()
    assert waits == [1.0, 59.0]


def test_limits_of_the_source_replace_the_definition(rest: Callable[..., Rest]) -> None:
    api = rest([FINE], more={"limits": [{"requests": 1, "seconds": 3600}]}, settings={"limits": []})
    api.tables["more"] = api.tables["items"]
    assert api.extract().column("id", "more") == ["1"]
