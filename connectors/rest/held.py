"""Connections over HTTP that are held to what a source may reach, and to how much it may bring.

They end before a byte is sent when they have led to an address that may not be reached: what a name stands for is asked
twice, when it is looked at and when it is connected to, and somebody's own name server may answer differently the
second time. What counts is whom the connection is with.
"""

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from connectors.rest.replies import Reply
from warehouse.errors import DataInsightError
from warehouse.reach import Reach

# An answer is in memory whole, and parsed it takes ten times its bytes. The largest that vendors give, an export of an
# hour or a day, have some tens of megabytes; a few kilobytes can unpack to any number.
MOST_BYTES = 256 * 1024**2


class ReplyAdapter(HTTPAdapter):
    """Gives every response as a `Reply`."""

    def build_response(self, req: Any, resp: Any) -> Any:
        """See `HTTPAdapter`."""
        response = super().build_response(req, resp)
        response.__class__ = Reply
        return response


class HeldAdapter(ReplyAdapter):
    """Connects to no address that may not be reached, whatever a name or a redirect leads to; reads no endless answer.

    Args:
        reach: What may be reached.
    """

    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self._reach = reach
        # The classes that this adapter's own pools are made of; a proxy's are others.
        self.poolmanager.pool_classes_by_scheme = held_pools(reach)

    def build_response(self, req: Any, resp: Any) -> Any:
        """See `HTTPAdapter`."""
        response = super().build_response(req, resp)
        response.most_bytes = MOST_BYTES
        return response

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """See `HTTPAdapter`.

        Raises:
            DataInsightError: It would go where it may not.
        """
        self._reach.addresses(urlsplit(str(request.url)).hostname or "")
        return super().send(request, *args, **kwargs)


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
