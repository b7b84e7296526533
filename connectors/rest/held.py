"""Connections over HTTP that end before a byte is sent when they have led to an address that may not be reached.

What a name stands for is asked twice, when it is looked at and when it is connected to, and somebody's own name server
may answer differently the second time. What counts is whom the connection is with.
"""

from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from warehouse.errors import DataInsightError
from warehouse.reach import Reach


def held_pools(reach: Reach) -> dict[str, Any]:
    """urllib3's classes of pools by scheme, over such connections."""

    def held(socket: Any) -> Any:
        if not reach.allows(str(socket.getpeername()[0])):
            socket.close()
            raise DataInsightError(
                "the API's name has led to an address that this source may not reach",
                hint="public addresses may be reached, and those of DATAINSIGHT_SOURCE_NETWORKS",
            )
        return socket

    class Plain(HTTPConnection):
        def _new_conn(self) -> Any:
            return held(super()._new_conn())

    class Secure(HTTPSConnection):
        def _new_conn(self) -> Any:
            return held(super()._new_conn())

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
