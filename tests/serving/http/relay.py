"""A stretch of network in front of a server, which a test can cut and mend."""

import selectors
import socket
import threading
from contextlib import suppress


class Relay:
    """Forwards a loopback port to another one.

    Args:
        target: Host and port of the server.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._is_flowing = threading.Event()
        self._is_flowing.set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._accept_on(self._listening)

    def hold(self) -> None:
        """Let nothing through, without a word to either side."""
        self._is_flowing.clear()

    def release(self) -> None:
        """Let everything through again, what was held first."""
        self._is_flowing.set()

    def cut(self) -> None:
        """End every connection and take no new ones."""
        self.release()
        with self._lock:
            _end(self._listening)
            for end in self._open:
                _end(end)
            self._open.clear()

    def mend(self) -> None:
        """Take connections again."""
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self._accept_on(self._listening)

    def _accept_on(self, listening: socket.socket) -> None:
        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    server = socket.create_connection(self._target)
                    with self._lock:
                        self._open |= {client, server}
                    threading.Thread(target=self._forward, args=(client, server), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError, ValueError), client, server, selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in ready.select():
                    assert isinstance(key.fileobj, socket.socket)
                    data = key.fileobj.recv(65536)
                    if not data:
                        return
                    self._is_flowing.wait()
                    key.data.sendall(data)


def _end(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
