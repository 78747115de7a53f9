"""Connections whose answers start in time. A socket's time-out begins anew with every byte, so a server that drips
its headers could hold a caller for ever; here a timer ends the wait for them as a whole."""

from __future__ import annotations

import logging
import socket
import threading
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse

logger = logging.getLogger(__name__)


class _WatchedHeaders(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3 has it
        # urllib3 has put the read time-out of this request here: what was left of the deadline.
        limit = self.timeout
        if self.sock is None or not isinstance(limit, (int, float)):
            return super().getresponse()
        watch = threading.Timer(limit, _hang_up, (self.sock,))
        watch.daemon = True
        watch.start()
        try:
            return super().getresponse()
        finally:
            watch.cancel()


class _WatchedHttps(_WatchedHeaders, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHeaders


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHttps


class WatchedAdapter(HTTPAdapter):
    """For requests: as the usual adapter, with the wait for headers bounded by the read time-out."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


def _hang_up(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        logger.debug("already closed: %s", type(error).__name__)
