"""A server that stands before another one and dies when so many bytes have gone through: what is under way is cut off."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator


class DyingProxy:
    """Forwards connections to an address, host:port. `bytes_left` is how much of what clients send is still passed on."""

    def __init__(self, target: str) -> None:
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.bytes_left = 10**12
        self.bytes_sent = 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def running(self) -> Iterator["DyingProxy"]:
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self._target) as server:
            while self.bytes_left > 0:
                ready, _, _ = select.select([client, server], [], [], 0.2)
                for end, other in ((client, server), (server, client)):
                    if end not in ready:
                        continue
                    data = end.recv(65536)
                    if not data:
                        return
                    other.sendall(self._take(data) if end is client else data)

    def _take(self, data: bytes) -> bytes:
        with self._lock:
            taken = data[: max(0, self.bytes_left)]
            self.bytes_left -= len(data)
            self.bytes_sent += len(taken)
            return taken
