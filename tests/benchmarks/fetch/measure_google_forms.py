"""Measure the fetch from Google Forms: python tests/benchmarks/fetch/measure_google_forms.py [RESPONSES] (PYTHONPATH=src:tests).

Serves invented responses from a process on another core, and fetches them on one core: into a new data root, again when nothing is
new, and with 1 % edited. Prints seconds, responses a second, CPU seconds and peak memory.
"""

import argparse
import contextlib
import multiprocessing
import os
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from fake_google_forms import FakeGoogleForms, ServedForm, at
from google_forms_project import GoogleFormsProject, answered
from measured_fetch import measure_fetch

_PAGE = 1000


class PreparedForms(FakeGoogleForms):
    """Makes its pages before the first request, so that the fetch does not wait for them."""

    def prepare(self, responses: int) -> None:
        """Make the pages."""
        rows = [answered(number, of=number % 20_000) for number in range(responses)]
        self.pages = [rows[start : start + _PAGE] for start in range(0, len(rows), _PAGE)]

    def edit(self) -> None:
        """Edit every hundredth response."""
        for page in self.pages:
            for row in page[::100]:
                row["lastSubmittedTime"] = at(1_000_000)
                row["answers"]["5a1b0002"]["textAnswers"]["answers"][0]["value"] = "maji"

    def _get(self, path: str, query: dict[str, str], headers: Any) -> dict[str, Any]:
        if path == "/edit":
            self.edit()
            return {}
        return super()._get(path, query, headers)

    def _list(self, form: ServedForm, query: dict[str, str]) -> dict[str, Any]:
        number = int(query.get("pageToken", "0"))
        following = {"nextPageToken": str(number + 1)} if number + 1 < len(self.pages) else {}
        return {"responses": self.pages[number], **following}


def serve(responses: int, folder: str, ready: "multiprocessing.Queue[str]") -> None:
    """Serve the responses until killed."""
    forms = PreparedForms()
    forms.prepare(responses)
    with forms.running():
        GoogleFormsProject(Path(folder), forms).arguments()
        ready.put(forms.address)
        time.sleep(3600)


def measure(what: str, responses: int, arguments: list[str]) -> None:
    """Run the stage once in a process of its own."""
    process = multiprocessing.Process(target=measure_fetch, args=(what, responses, arguments, "responses"))
    process.start()
    process.join()


def main() -> None:
    """Measure a first fetch, one with nothing new, and one with 1 % edited."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("responses", nargs="?", type=int, default=100_000)
    responses = parser.parse_args().responses
    ready: multiprocessing.Queue[str] = multiprocessing.Queue()
    with tempfile.TemporaryDirectory() as name, contextlib.closing(ready):
        folder = Path(name)
        server = multiprocessing.Process(target=serve, args=(responses, name, ready), daemon=True)
        server.start()
        address = ready.get()
        os.environ["FORMS_EMULATOR_HOST"] = address
        own, *others = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(server.pid, others or {own})
        os.sched_setaffinity(0, {own})
        arguments = ["--user", "bench@example.org", "--credentials", str(folder / "credentials.json")]
        arguments += ["--pipeline-configuration", str(folder / "pipeline_configuration.json")]
        arguments += ["--data-root", str(folder / "data root")]
        measure("first fetch", responses, arguments)
        measure("nothing new", responses, arguments)
        urllib.request.urlopen(f"{address}/edit").close()
        measure("1 % edited", responses, arguments)
        server.terminate()


if __name__ == "__main__":
    sys.exit(main())
