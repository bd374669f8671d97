from collections.abc import Iterator
from pathlib import Path

import pytest

import fake_rapidpro
from example_project import DataRoot
from fake_rapidpro import Workspace
from fetch_project import FetchProject
from forgotten_person import make_seasons


@pytest.fixture
def project(workspace: Workspace, tmp_path: Path) -> Iterator[FetchProject]:
    """A project that is fetched from the test's own `workspace`."""
    folder = tmp_path / "my project"
    folder.mkdir()
    with fake_rapidpro.serve(workspace) as address:
        yield FetchProject(folder, address)


@pytest.fixture
def data_root(tmp_path: Path) -> DataRoot:
    """The example project without data."""
    return DataRoot(tmp_path)


@pytest.fixture(scope="session")
def seasons(tmp_path_factory: pytest.TempPathFactory):
    """A project with a person to forget, and what one has in which they never were: see `forgotten_person`."""
    yield from make_seasons(tmp_path_factory.mktemp("season"))
