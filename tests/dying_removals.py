"""A removal from a uuid table in Firestore, in a process of its own that dies by kill -9.

That is so many seconds after its first write there, or after its first commit of several writes.

    python dying_removals.py <write or commit> <seconds> forget <arguments of forget>
    python dying_removals.py <write or commit> <seconds> rows <configuration> <data root> <project of Firestore> <table> <time>

With many seconds it lives, and the last line that it prints has the seconds from its first write, and from its first commit, to the end of its last one.
"""

import json
import os
import signal
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

from google.cloud import firestore

from engagement.__main__ import main
from engagement.configuration import load_project
from engagement.custody.retention.removal import RetentionRequest
from engagement.custody.retention.table_rows import remove_aged_people
from engagement.services.credentials import GoogleCredentials
from engagement.services.retries import RetryPolicy
from engagement.services.uuid_tables.protocol import open_uuid_table

BEGAN: dict[str, float] = {}
ENDED: list[float] = []


def begin(event, after, seconds):
    """Note the first of an event; the process dies so many seconds after the one of that name."""
    if event not in BEGAN:
        BEGAN[event] = time.monotonic()
        if event == after:
            threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL)).start()


def watch(kind, name, after, seconds):
    """Watch a method of Google's client that writes."""
    write = getattr(kind, name)

    def timed(*arguments, **options):
        begin("write", after, seconds)
        # Google's client commits a single document's write in this way, too.
        if name == "commit" and len(arguments[0]) > 1:
            begin("commit", after, seconds)
        try:
            return write(*arguments, **options)
        finally:
            ENDED.append(time.monotonic())

    setattr(kind, name, timed)


def remove_rows(configuration, data_root, google_project, table_name, now):
    table = open_uuid_table(GoogleCredentials(google_project, {}), table_name, RetryPolicy())
    request = RetentionRequest("me", now, {"RawTexts": "P60D", "UuidTable": "P60D"})
    project = load_project(Path(configuration))
    list(remove_aged_people(project, Path(data_root), table, datetime.fromisoformat(now), request))
    return 0


if __name__ == "__main__":
    after, wait, what, *rest = sys.argv[1:]
    for kind, name in (
        (firestore.WriteBatch, "commit"),
        (firestore.DocumentReference, "set"),
        (firestore.DocumentReference, "create"),
    ):
        watch(kind, name, after, float(wait))
    status = remove_rows(*rest) if what == "rows" else main([what, *rest])
    sys.stdout.flush()
    sys.stderr.flush()
    sys.stdout.write("\n" + json.dumps({event: max(ENDED) - at for event, at in BEGAN.items()}) + "\n")
    sys.stdout.flush()
    # A timer that has not come yet dies with the process.
    os._exit(status)
