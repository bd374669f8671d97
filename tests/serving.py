"""Serve invented services on this machine."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Status, headers, content.
Answer = tuple[int, dict[str, str], bytes]
Answering = Callable[[str, str, Any, bytes], Answer]


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


class DroppedError(Exception):
    """No answer: the connection ends."""


def make_handler(answer: Answering) -> type[BaseHTTPRequestHandler]:
    """A handler that gives what `answer` says of a request: its method, address, headers and body."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

        def handle_request(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                status, headers, content = answer(self.command, self.path, self.headers, body)
            except DroppedError:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(content)

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.handle_request)
    return Handler


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
