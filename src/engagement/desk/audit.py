"""List what was handed over or removed: when, by whom, where to, and how much.

Reads what runs and commands left in Runs/, Hand-overs/ and Forgotten/: uploads of outputs to Drive, exports of contacts, write-backs to
RapidPro, uploads of archives and logs, exports of participants, participants who were forgotten, and files that were over age. Numbers
and uids are in none.
"""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from engagement.desk.audits.events import find_events
from engagement.desk.statuses.table import align
from engagement.foundation.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("data_root", type=Path, metavar="data-root", help="directory that holds the pipeline's data")
    parser.add_argument(
        "--since", metavar="TIME", help="leave out what was earlier: a date, or ISO 8601 with an offset"
    )
    parser.add_argument("--json", action="store_true", help="write JSON instead of a table")


def run(arguments: argparse.Namespace) -> None:
    """Find every hand-over, and print them, the earliest first."""
    if not arguments.data_root.is_dir():
        raise UsageError(f"{arguments.data_root}: no such directory; expected the data root. Check the path.")
    since = _read_since(arguments.since)
    events = [event for event in find_events(arguments.data_root) if since is None or event.time >= since]
    if arguments.json:
        documents = [{**asdict(event), "time": event.time.isoformat()} for event in events]
        sys.stdout.write(json.dumps(documents, indent=2, sort_keys=True) + "\n")
        return
    if not events:
        sys.stdout.write("Nothing was handed over or removed.\n")
        return
    rows = [
        (
            event.time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ"),
            event.what,
            event.by or "?",
            event.target,
            event.say_counts(),
        )
        for event in events
    ]
    sys.stdout.write(align([("time", "what", "by", "target", "counts"), *rows]))


def _read_since(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--since {text!r}: not a time; expected a date like 2026-11-01, or ISO 8601 with an offset. Change it."
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
