"""Clients of the HTTP API: so many at once, each on a connection of its own, and what their requests took."""

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection

import orjson


@dataclass(frozen=True)
class Latencies:
    """What requests took, in milliseconds, and how many a second were answered."""

    milliseconds: tuple[float, ...]
    per_second: float

    def percentile(self, percent: int) -> float:
        """So many percent took no longer."""
        if len(self.milliseconds) == 1:
            return self.milliseconds[0]
        return statistics.quantiles(self.milliseconds, n=100, method="inclusive")[percent - 1]


class Client:
    """One client that keeps its connection.

    Args:
        port: Of the server on loopback.
        key: Who asks.
    """

    def __init__(self, port: int, key: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def post(self, path: str, body: object) -> bytes:
        """What the server answers.

        Raises:
            RuntimeError: Anything but 200.
        """
        self._connection.request("POST", f"/api/v1{path}", orjson.dumps(body), self._headers)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {answer[:500]!r}")
        return answer

    def close(self) -> None:
        """Leave."""
        self._connection.close()


def load(
    port: int,
    keys: Sequence[str],
    clients: int,
    requests: int,
    body: Callable[[int], tuple[str, object]],
    *,
    per_second: float | None = None,
    look: Callable[[bytes], None] | None = None,
) -> Latencies:
    """Let clients ask, each as soon as it has its answer, or so many times a second all of them together.

    Args:
        port: Of the server.
        keys: The clients' keys, in turn.
        clients: How many ask at once.
        requests: How many requests there are together.
        body: Path and body of each request, by its number.
        per_second: How often they ask; what a request takes begins when it was due, although nobody was free to ask it.
        look: Sees each answer.
    """
    taken: list[float] = []
    failed: list[BaseException] = []
    numbers = iter(range(requests))
    lock = threading.Lock()

    def ask(place: int) -> None:
        client = Client(port, keys[place % len(keys)])
        try:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None or failed:
                    return
                path, asked = body(number)
                begun = time.perf_counter()
                if per_second is not None:
                    due = started + number / per_second
                    time.sleep(max(0.0, due - begun))
                    begun = due
                answer = client.post(path, asked)
                milliseconds = (time.perf_counter() - begun) * 1000
                if look is not None:
                    look(answer)
                with lock:
                    taken.append(milliseconds)
        except BaseException as error:  # noqa: BLE001  It is raised where the threads are waited for.
            failed.append(error)
        finally:
            client.close()

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return Latencies(tuple(taken), len(taken) / (time.perf_counter() - started))
