"""A deadline for the first part of an answer: a server that sends its headers byte by byte keeps every other time-out from running out."""

import http.client
import time
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


class _Headers:
    """The beginning of an answer, read by lines until the deadline. Everything else is the reader's own."""

    def __init__(self, reader: Any):
        self._reader = reader
        self._deadline = time.monotonic() + LONGEST_HEADERS_SECONDS

    def readline(self, limit: int) -> bytes:
        """Read a line, or the beginning of a longer one."""
        line = b""
        while not line.endswith(b"\n") and len(line) < limit:
            if time.monotonic() > self._deadline:
                raise EndlessHeadersError
            # Waits for one piece from the network, and for no second one.
            waiting = self._reader.peek(1)
            if not waiting:
                break
            line += self._reader.readline(min(len(waiting), limit - len(line)))
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


class _Response(http.client.HTTPResponse):
    def begin(self) -> None:
        reader = self.fp
        self.fp = _Headers(reader)  # type: ignore[assignment]  # it reads lines as a reader does
        try:
            super().begin()
        finally:
            # An answer without a body has closed it.
            if self.fp is not None:
                self.fp = reader


class _Connection(urllib3.connection.HTTPConnection):
    response_class = _Response


class _SecureConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}
