from collections.abc import Iterator
from pathlib import Path

import pytest

import fake_rapidpro
from fake_rapidpro import Workspace
from fetch_project import FetchProject


@pytest.fixture
def project(workspace: Workspace, tmp_path: Path) -> Iterator[FetchProject]:
    """A project that is fetched from the test's own `workspace`."""
    folder = tmp_path / "my project"
    folder.mkdir()
    with fake_rapidpro.serve(workspace) as address:
        yield FetchProject(folder, address)
