"""A Dask cluster on this machine for tests: a scheduler and workers, started as the manual says, but small and ended for sure."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src"


def expect_dask() -> None:
    """Skip the tests of a module on a machine without Dask; where everything has to be tested they fail."""
    if importlib.util.find_spec("distributed") is None:
        reason = "Dask is not installed: pipenv sync --categories cluster"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason, allow_module_level=True)


class DaskCluster:
    """A scheduler, and workers that run the code in folder `source`."""

    def __init__(self, folder: Path, *sources: Path, **settings: str) -> None:
        """One worker is started for each of `sources`; `settings` are Dask's, as environment variables."""
        self.folder = folder
        self._settings = settings
        self.scheduler = self._start("scheduler", SOURCE, "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self.workers = [self.start_worker(source) for source in sources]
        file = folder / "scheduler.json"
        while not (file.exists() and file.read_text().endswith("}")):
            assert self.scheduler.poll() is None, (folder / "dask.log").read_text()
            time.sleep(0.05)
        self.address: str = json.loads(file.read_text())["address"]

    def start_worker(self, source: Path, *before: str | Path) -> subprocess.Popen[bytes]:
        """Start a worker, without the nanny that would start it again when it ends; `before` is a command that starts it."""
        options = ("--nworkers", "1", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "30")
        return self._start("worker", source, *options, "--local-directory", str(self.folder), before=before)

    def _start(
        self, role: str, source: Path, *options: str, before: Sequence[str | Path] = ()
    ) -> subprocess.Popen[bytes]:
        with (self.folder / "dask.log").open("ab") as log:
            return subprocess.Popen(
                [
                    *before,
                    sys.executable,
                    "-m",
                    "dask",
                    role,
                    *options,
                    "--scheduler-file",
                    self.folder / "scheduler.json",
                ],
                env={**os.environ, **self._settings, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"},
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )

    def end(self) -> None:
        """End all processes; they have nothing worth waiting for."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
