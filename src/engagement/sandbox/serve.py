"""Serve the sandbox's RapidPro on this machine until stopped (SIGTERM or SIGINT).

Writes the address into the demo's configuration, then the port into the ready file.
"""

import argparse
import contextlib
import json
import logging
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from engagement.configuration import load_pipeline_configuration
from engagement.foundation.errors import ConfigurationError, MachineError, count_of
from engagement.foundation.files import open_for_writing, read_json
from engagement.sandbox.demo_directory import DemoDirectory
from engagement.sandbox.server import HOST, serve
from engagement.sandbox.workspace import make_workspace

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare this command's arguments."""
    parser.add_argument("--directory", type=Path, required=True, help="the demo's directory, prepared before")
    parser.add_argument("--ready-file", type=Path, required=True, help="file to write when the server listens")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; a free one by default")


def run(args: argparse.Namespace) -> None:
    """Serve the demo's current round."""
    demo = DemoDirectory(args.directory)
    state = demo.read_state()
    changes = demo.read_changes()
    workspace = make_workspace(state.seed, state.round_number, changes)
    args.ready_file.unlink(missing_ok=True)
    with _told_to_end() as end, contextlib.ExitStack() as stack:
        try:
            address = stack.enter_context(serve(workspace, args.port, changes, demo.write_changes))
        except (OSError, OverflowError) as error:
            raise MachineError(
                f"{HOST}:{args.port}: can't listen there: {error}; expected a free port. Choose another --port."
            ) from error
        _set_domain(demo.configuration_file, address)
        with open_for_writing(args.ready_file) as file:
            file.write(f"{urlsplit(address).port}\n")
        stack.callback(args.ready_file.unlink, missing_ok=True)
        log.info("Serving round %d: %s live on %s.", state.round_number, count_of(len(workspace.runs), "run"), address)
        end.wait()


def _set_domain(path: Path, address: str) -> None:
    load_pipeline_configuration(path)  # somebody may have edited the demo's copy
    document = read_json(path, ConfigurationError)
    for source in document["RawDataSources"]:
        if source["SourceType"] == "RapidPro":
            source["Domain"] = address
    with open_for_writing(path) as file:
        json.dump(document, file, indent=2, ensure_ascii=False)
        file.write("\n")


@contextlib.contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """Return an event that SIGTERM and SIGINT set."""
    end = threading.Event()
    before = {number: signal.signal(number, lambda *_: end.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
