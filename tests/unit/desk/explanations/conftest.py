"""An operator in front of a data root of the test's own."""

from pathlib import Path

import pytest

from example_project import DataRoot
from explained_project import Desk


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(DataRoot(tmp_path), capsys)
