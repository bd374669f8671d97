"""A deadline for the first part of an answer: a server that sends its headers byte by byte keeps every other time-out from running out."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import requests.adapters
import urllib3

LONGEST_HEADERS_SECONDS = 300.0


class EndlessHeadersError(Exception):
    """The headers of an answer did not end in time."""


class DeadlineAdapter(requests.adapters.HTTPAdapter):
    """Ends a request whose answer's headers have not come within LONGEST_HEADERS_SECONDS."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools of connections, with connections of our own."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> urllib3.ProxyManager:
        """Make the pools of connections through a proxy."""
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Connection(urllib3.connection.HTTPConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3's own is
        with _ended_in_time(self.sock):
            return super().getresponse()


class _SecureConnection(urllib3.connection.HTTPSConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3's own is
        with _ended_in_time(self.sock):
            return super().getresponse()


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


@contextlib.contextmanager
def _ended_in_time(connection: socket.socket | None) -> Iterator[None]:
    if connection is None:
        yield
        return
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        # Whoever reads from it finds its end.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(LONGEST_HEADERS_SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception:
        if not is_late.is_set():
            raise
    finally:
        timer.cancel()
    # Headers that break off can be taken for whole ones.
    if is_late.is_set():
        raise EndlessHeadersError
