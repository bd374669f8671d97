"""Measure the fetch: python tests/benchmarks/fetch/measure_fetch.py [RUNS …] [--archived] (PYTHONPATH=src:tests).

Serves invented runs from a process on another core, fetches them into a new data root on one core, then again when nothing is
new, then with 1 % of the runs modified. Prints runs a second, CPU seconds and peak memory. Uuids are in no order, as real ones.
Each size has processes of its own; the bars are beside its first fetch, and how processor time grows comes last.
"""

import argparse
import base64
import contextlib
import gzip
import hashlib
import json
import multiprocessing
import os
import sys
import tempfile
import urllib.parse
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path

from bars import show_calibration, show_exponent
from measured_fetch import measure_fetch
from serving import JsonRequest

_PAGE = 250
_START = datetime(2026, 3, 1, tzinfo=UTC)
_FLOW = "bench_s01e01"
# Runs a second of processor time, on a machine whose calibration takes 1.1 s.
_LIVE_BAR, _ARCHIVED_BAR = 30_000, 60_000
_MEMORY_BAR_MEBIBYTES = 200


def make_uuid(kind: str, number: int) -> str:
    """A uuid like those of RapidPro: in no order."""
    return str(uuid.UUID(bytes=hashlib.md5(f"{kind} {number}".encode()).digest(), version=4))


def make_run(number: int, modified: datetime) -> dict[str, object]:
    """An invented run with three answers."""
    created = _START + timedelta(seconds=number)
    values = {
        key: {
            "value": f"jawaab {number} ee su'aasha {key}, waan idin salaamayaa",
            "category": "All Responses",
            "node": "a" * 36,
            "time": created.isoformat(),
            "input": f"jawaab {number} ee su'aasha {key}, waan idin salaamayaa",
            "name": key.title(),
        }
        for key in ("rqa_s01e01_raw", "gender", "age")
    }
    return {
        "id": 1_000_000 + number,
        "uuid": make_uuid("run", number),
        "flow": {"uuid": "f" * 36, "name": _FLOW},
        "contact": {
            "uuid": make_uuid("contact", number % 20_000),
            "urn": f"tel:+25261{number % 20_000:07}",
            "name": "Invented",
        },
        "start": None,
        "responded": True,
        "path": [{"node": "b" * 36, "time": created.isoformat()}] * 3,
        "values": values,
        "created_on": created.isoformat(),
        "modified_on": modified.isoformat(),
        "exited_on": modified.isoformat(),
        "exit_type": "completed",
    }


def serve(runs: int, archived: bool, ready: multiprocessing.Queue) -> None:
    """Serve the runs until killed: pages are made before the first request."""
    contacts = [
        {
            "uuid": make_uuid("contact", n),
            "urns": [f"tel:+25261{n:07}"],
            "modified_on": (_START + timedelta(seconds=n)).isoformat(),
        }
        for n in range(min(20_000, runs))
    ]
    rows = [make_run(n, _START + timedelta(seconds=n + 60)) for n in range(runs)]
    late = [make_run(n, _START + timedelta(seconds=2 * runs + n)) for n in range(0, runs, 100)]
    archive = gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows), 6) if archived else b""
    listing = {
        "archive_type": "run",
        "start_date": "2026-03-01",
        "period": "monthly",
        "record_count": runs,
        "hash": hashlib.md5(archive).hexdigest(),
    }
    pages = {
        "runs": [] if archived else _encode_pages(rows),
        "late": _encode_pages(late),
        "contacts": _encode_pages(contacts),
        "flows": _encode_pages([{"uuid": "f" * 36, "name": _FLOW}]),
    }
    state = {"late": False}

    class Handler(JsonRequest):
        def do_GET(self) -> None:  # noqa: N802 - the name of http.server
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            host = f"http://{self.headers['Host']}"
            name = url.path.removeprefix("/api/v2/").removesuffix(".json")
            if url.path == "/late":
                state["late"] = True
                self.answer_encoded(b"{}")
            elif url.path == "/archive":
                self.answer_encoded(archive)
            elif name == "workspace":
                self.answer_encoded(
                    b'{"uuid": "9d0c6a3e-1f52-4b7a-8e64-2c5d7f9a1b30", "name": "Bench", "country": "SO"}'
                )
            elif name == "archives":
                found = [{**listing, "download_url": f"{host}/archive"}] if archived else []
                self.answer_encoded(json.dumps({"count": 1, "next": None, "results": found}).encode())
            else:
                self._reply_page("late" if name == "runs" and "after" in query and state["late"] else name, query)

        def _reply_page(self, name: str, query: dict[str, str]) -> None:
            # A cursor that names a time, as RapidPro's does between rows of two times; here it is the page's number.
            start = int(base64.b64decode(query["cursor"]).removeprefix(b"p=")) if "cursor" in query else 0
            if name in ("runs", "contacts") and "after" in query and "cursor" not in query:
                start = max(0, len(pages[name]) - 2)
            body = pages[name][start] if start < len(pages[name]) else b"[]"
            following = None
            if start + 1 < len(pages[name]):
                cursor = base64.b64encode(f"p={start + 1}".encode()).decode()
                kept = urllib.parse.urlencode({**query, "cursor": cursor})
                following = f"http://{self.headers['Host']}{urllib.parse.urlsplit(self.path).path}?{kept}"
            self.answer_encoded(
                b'{"next": %s, "previous": null, "results": %s}' % (json.dumps(following).encode(), body)
            )

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ready.put(server.server_port)
    server.serve_forever()


def _encode_pages(rows: list[dict[str, object]]) -> list[bytes]:
    return [json.dumps(rows[start : start + _PAGE]).encode() for start in range(0, len(rows), _PAGE)]


def prepare(folder: Path, port: int) -> list[str]:
    """Write a project and its credentials; returns the stage's arguments."""
    storage = folder / "embedded" / "storage" / "bench"
    storage.mkdir(parents=True)
    (storage / "token.txt").write_text("bench-token\n")
    (storage / "firebase.json").write_text('{"type": "embedded", "directory": "../.."}')
    (folder / "credentials.json").write_text('{"type": "embedded", "directory": "embedded"}')
    codes = [("Normal", None, "hormud"), ("Control", "NA", "NA"), ("Control", "NC", "NC")]
    scheme = {
        "SchemeID": "Scheme-bench",
        "Name": "Operator",
        "Version": "0.0.0.1",
        "Codes": [
            {
                "CodeID": f"code-{name}",
                "CodeType": kind,
                "DisplayText": name,
                "NumericValue": number,
                "StringValue": name,
                "VisibleInCoda": True,
                "MatchValues": [name] if kind == "Normal" else [],
            }
            | ({"ControlCode": control} if control else {})
            for number, (kind, control, name) in enumerate(codes)
        ],
    }
    (folder / "code_schemes").mkdir()
    (folder / "code_schemes" / "operator.json").write_text(json.dumps(scheme))
    (folder / "coding_plans.json").write_text('{"CodeSchemesDir": "code_schemes", "OperatorScheme": "operator.json"}')
    configuration = {
        "RawDataSources": [
            {
                "SourceType": "RapidPro",
                "Domain": f"http://127.0.0.1:{port}",
                "TokenFileURL": "gs://bench/token.txt",
                "ContactsFileName": "bench",
                "ActivationFlowNames": [_FLOW],
            }
        ],
        "PhoneNumberUuidTable": {"FirebaseCredentialsFileURL": "gs://bench/firebase.json", "TableName": "bench"},
        "RapidProKeyRemappings": [{"RapidProKey": "avf_phone_id", "PipelineKey": "uid"}],
        "ProjectStartDate": "2026-01-01T00:00:00+03:00",
        "ProjectEndDate": "2027-01-01T00:00:00+03:00",
        "FilterTestMessages": True,
        "MoveWSMessages": False,
        "CodingPlansFile": "coding_plans.json",
    }
    (folder / "pipeline_configuration.json").write_text(json.dumps(configuration))
    return [
        *("--user", "bench@example.org", "--credentials", str(folder / "credentials.json")),
        *("--pipeline-configuration", str(folder / "pipeline_configuration.json")),
        *("--data-root", str(folder / "data root")),
    ]


def measure(runs: int, archived: bool, found: multiprocessing.Queue) -> None:
    """Measure a first fetch, one with nothing new, and one with 1 % modified."""
    ready: multiprocessing.Queue = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(runs, archived, ready), daemon=True)
    server.start()
    port = ready.get()
    own, *others = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(server.pid, others or {own})
    os.sched_setaffinity(0, {own})
    bar = _ARCHIVED_BAR if archived else _LIVE_BAR
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(ready):
        arguments = prepare(Path(folder), port)
        processor_seconds, peak = measure_fetch(f"{runs:,} runs, first fetch", runs, arguments)
        print(
            f"  {runs / processor_seconds:,.0f} runs a second of processor time, bar {bar:,}; "
            f"peak {peak} MiB, bar {_MEMORY_BAR_MEBIBYTES}",
            flush=True,
        )
        measure_fetch("nothing new", runs, arguments)
        urllib.request.urlopen(f"http://127.0.0.1:{port}/late").close()
        measure_fetch("1 % modified", runs, arguments)
    server.terminate()
    found.put(processor_seconds)


def main() -> None:
    """Measure every size that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", type=int, default=[100_000])
    parser.add_argument("--archived", action="store_true", help="the runs are in one archive")
    options = parser.parse_args()
    found: multiprocessing.Queue = multiprocessing.Queue()
    processor_seconds = {}
    for runs in options.runs:
        show_calibration()
        process = multiprocessing.Process(target=measure, args=(runs, options.archived, found))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(process.exitcode)
        processor_seconds[runs] = found.get()
    show_exponent("first fetch", processor_seconds)


if __name__ == "__main__":
    main()
