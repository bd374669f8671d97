"""Measure the fetch from KoboToolbox: python tests/benchmarks/fetch/measure_kobo.py [SUBMISSIONS] (PYTHONPATH=src:tests).

Serves invented submissions from a process on another core, fetches them into a new data root on one core, then again when
nothing is new, then with 1 % edited. Prints submissions a second, CPU seconds and peak memory.
"""

import argparse
import bisect
import contextlib
import json
import multiprocessing
import os
import sys
import tempfile
import urllib.request
from http.server import ThreadingHTTPServer
from pathlib import Path

from fake_kobo import ASSET, TOKEN, Kobo, KoboRequest, submission
from fetch_project import FetchProject
from measured_fetch import measure_fetch


class FastRequest(KoboRequest):
    """Answers by the order of the ids, without looking at each submission."""

    def do_GET(self) -> None:  # noqa: N802 - the name of http.server
        if self.path == "/edit":
            for row in self.kobo.rows[::100]:
                self.kobo.edit(row, {"show/s05": "maji machafu"})
            self.reply(200, b"{}")
        else:
            super().do_GET()

    def _page(self, rows: list[dict]) -> dict:
        wanted = json.loads(self.query.get("query", "{}")).get("_id", {})
        if "$in" in wanted:
            found = [row for number in wanted["$in"] for row in rows[number - 481000 : number - 480999]]
            found = [row for row in found if row["_id"] > wanted["$gt"]]
            count = len(found)
        else:
            least = max(wanted.get("$gt", 0) + 1, wanted.get("$gte", 0))
            start = bisect.bisect_left(rows, least, key=lambda row: row["_id"])
            end = bisect.bisect_right(rows, wanted.get("$lte", sys.maxsize), key=lambda row: row["_id"])
            found = rows[start : min(end, start + int(self.query["limit"]))]
            count = end - start
        kept = {*json.loads(self.query["fields"]), "_id", "_uuid", "meta/rootUuid", "_validation_status"}
        page = [{key: value for key, value in row.items() if key in kept} for row in found]
        return {"count": count, "next": None, "previous": None, "results": page}


def serve(submissions: int, ready: multiprocessing.Queue) -> None:
    """Serve the submissions until killed; one in ten shares its number, one in twenty has none."""
    rows = [submission(n, {"about/phone": f"07{12_000_000 + n % 90_000}"}) for n in range(submissions)]
    for row in rows[::20]:
        del row["about/phone"]
    kobo = Kobo({ASSET: rows})
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (FastRequest,), {"kobo": kobo}))
    ready.put(server.server_port)
    server.serve_forever()


def prepare(folder: Path, port: int) -> list[str]:
    """Write a project and its credentials; returns the stage's arguments."""
    project = FetchProject(folder, "unused.invalid")
    (project.keys / "kobo.txt").write_text(TOKEN)
    project.sources[:] = [
        {
            "SourceType": "KoboToolbox",
            "Server": f"http://127.0.0.1:{port}",
            "TokenFileURL": "gs://keys/kobo.txt",
            "Country": "KE",
            "PhoneNumberKeys": ["about/phone"],
            "SurveyFlowName": "bench_survey",
            "SurveyQuestions": [
                {"Field": "Age", "Keys": ["about/age"]},
                {"Field": "Gender", "Keys": ["about/gender"]},
            ],
            "Forms": [
                {
                    "FlowName": "bench_s05",
                    "Asset": ASSET,
                    "EpisodeQuestions": [
                        {"Field": "S05", "Keys": ["show/s05"]},
                        {"Field": "Heard", "Keys": ["show/heard"]},
                    ],
                }
            ],
        }
    ]
    return project.arguments()


def main() -> None:
    """Measure a first fetch, one with nothing new, and one with 1 % edited."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("submissions", nargs="?", type=int, default=100_000)
    options = parser.parse_args()
    ready: multiprocessing.Queue = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(options.submissions, ready), daemon=True)
    server.start()
    port = ready.get()
    own, *others = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(server.pid, others or {own})
    os.sched_setaffinity(0, {own})
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(ready):
        arguments = prepare(Path(folder), port)
        measure_fetch("first fetch", options.submissions, arguments, "submissions")
        measure_fetch("nothing new", options.submissions, arguments, "submissions")
        urllib.request.urlopen(f"http://127.0.0.1:{port}/edit").close()
        measure_fetch("1 % edited", options.submissions, arguments, "submissions")
    server.terminate()


if __name__ == "__main__":
    sys.exit(main())
