"""Serve invented services on this machine."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class JsonRequest(BaseHTTPRequestHandler):
    """A request that is answered with JSON, on a connection that stays open."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def answer(self, document: object) -> None:
        """Answer with a document."""
        self.answer_encoded(json.dumps(document).encode())

    def answer_encoded(self, body: bytes) -> None:
        """Answer with JSON that is encoded already."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def serve_on_this_machine(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Answer requests with a handler; gives the server's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
