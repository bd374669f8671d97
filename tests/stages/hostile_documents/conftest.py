"""A data root whose documents the tests change."""

import pytest

from example_project import DataRoot, write_project
from hostile import RUNS


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> DataRoot:
    folder = tmp_path_factory.mktemp("hostile")
    root = DataRoot(folder, write_project(folder / "configuration"))
    root.write_runs(*RUNS)
    return root
