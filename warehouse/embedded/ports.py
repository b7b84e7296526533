"""Ports on the loopback address: is one free, and which other could the server take."""

import secrets
import socket

# Below the range from which systems take ports for outgoing connections (32768 and up on Linux), so that a
# remembered port is seldom found taken.
_LOWEST, _HIGHEST = 15000, 29999


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now, by the same option that PostgreSQL sets."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that is free now; the caller must be ready to lose it to a faster program."""
    while True:
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST + 1)
        if is_free(port):
            return port
