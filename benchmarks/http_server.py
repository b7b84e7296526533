"""The HTTP API in a process of its own, and what that process uses."""

import os
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from socket import create_server

from benchmarks.star import Star


class Server:
    """The API in a process of its own.

    Args:
        star: What it serves.
    """

    def __init__(self, star: Star) -> None:
        with create_server(("127.0.0.1", 0)) as one, create_server(("127.0.0.1", 0)) as two:
            self.port, self._operations_port = one.getsockname()[1], two.getsockname()[1]
        environment = {
            **os.environ,
            "DATAINSIGHT_HOME": str(star.settings.home),
            "DATAINSIGHT_API_PORT": str(self.port),
            "DATAINSIGHT_OPERATIONS_PORT": str(self._operations_port),
            "DATAINSIGHT_RATE_LIMITS": '{"standard": 100000000}',
        }
        self._process = subprocess.Popen([sys.executable, "-m", "serving"], env=environment, stderr=subprocess.DEVNULL)
        while not self._is_ready():
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended with code {self._process.returncode}")
            time.sleep(0.1)

    @property
    def memory_mb(self) -> float:
        """Resident memory."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    @property
    def kept_mb(self) -> float:
        """What the answers take that it keeps."""
        _, told = self._get(self._operations_port, "/metrics")
        (line,) = (line for line in told.splitlines() if line.startswith("datainsight_cache_bytes "))
        return float(line.rpartition(" ")[2]) / 2**20

    @property
    def processor_seconds(self) -> float:
        """What it has used of the processors."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait()

    def _is_ready(self) -> bool:
        try:
            status, _ = self._get(self.port, "/health/ready")
        except OSError:
            return False
        return status == 200

    @staticmethod
    def _get(port: int, path: str) -> tuple[int, str]:
        with closing(HTTPConnection("127.0.0.1", port)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
