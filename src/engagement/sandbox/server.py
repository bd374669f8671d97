"""The sandbox's web server: RapidPro's API on a local port, with keep-alive connections."""

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from engagement.sandbox.api import Api, Reply
from engagement.sandbox.contact_changes import ContactChanges
from engagement.sandbox.workspace import InventedWorkspace

HOST = "127.0.0.1"


@contextlib.contextmanager
def serve(
    workspace: InventedWorkspace,
    port: int = 0,
    changes: ContactChanges | None = None,
    save: Callable[[ContactChanges], None] | None = None,
) -> Iterator[str]:
    """Serve a workspace on this machine during the block; give the base URL. Port 0 picks a free one.

    `changes` are earlier writes to its contacts; `save` is called after each new one.
    """
    server = _Server((HOST, port), _handler(Api(workspace, changes, save)))
    # Checks twenty times a second whether to stop, so tests do not wait.
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="sandbox")
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    # Connections that clients keep open do not delay the end.
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Ignore clients that were killed or hung up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(api: Api) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # headers and body leave together

        def do_GET(self) -> None:  # noqa: N802 - the base class names it
            host = self.headers.get("Host", f"{HOST}:{self.connection.getsockname()[1]}")
            self._reply(api.get(self.path, self.headers.get("Authorization"), host))

        def do_POST(self) -> None:  # noqa: N802
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._reply(api.post(self.path, body, self.headers.get("Authorization")))

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: addresses contain contacts' uuids."""

        def _reply(self, reply: Reply) -> None:
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

    return Handler
