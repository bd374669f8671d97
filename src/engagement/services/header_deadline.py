"""A deadline for response headers.

A server that sends them byte by byte never triggers the other time-outs.
"""

import http.client
import time
from typing import Any

import requests.adapters
import urllib3

LONGEST_HEADERS_SECONDS = 300.0


class EndlessHeadersError(Exception):
    """The headers of a response did not end in time."""


class DeadlineAdapter(requests.adapters.HTTPAdapter):
    """Ends requests whose response headers take longer than LONGEST_HEADERS_SECONDS."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Create the connection pools, with our own connection classes."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> urllib3.ProxyManager:
        """Create the connection pools for a proxy."""
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Headers:
    """Reads the header lines until the deadline; passes everything else to the real reader."""

    def __init__(self, reader: Any):
        self._reader = reader
        self._deadline = time.monotonic() + LONGEST_HEADERS_SECONDS

    def readline(self, limit: int) -> bytes:
        """Read a line, or the start of a longer one."""
        line = b""
        while not line.endswith(b"\n") and len(line) < limit:
            if time.monotonic() > self._deadline:
                raise EndlessHeadersError
            # Wait for one piece from the network, never for a second.
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
            # A response without a body has closed it.
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
