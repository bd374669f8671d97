"""Data roots on which runs of stage 3 build on each other."""

from pathlib import Path

import pytest

from example_project import DataRoot, survey_run
from incremental_runs import ALONE, BIYO, STOP, runs


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")


@pytest.fixture
def roots(tmp_path: Path) -> tuple[DataRoot, DataRoot]:
    """Two data roots of one project: one where runs build on each other, one where each is a full run."""
    first = DataRoot(tmp_path)
    (tmp_path / "full").mkdir()
    return first, DataRoot(tmp_path / "full", first.configuration)


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    """A data root after a run."""
    root = DataRoot(tmp_path)
    runs(BIYO, *ALONE, survey_run("a", gender="nin"))(root)
    root.write_coded("s01e01", STOP)
    root.generate()
    return root
