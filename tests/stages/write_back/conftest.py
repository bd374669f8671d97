"""A project of twelve participants, with nothing written back to its RapidPro yet."""

import pytest

import fake_rapidpro
from chain_project import make_workspace
from write_back_project import WriteBackProject


@pytest.fixture
def workspace():
    found = make_workspace()
    found.page_size = 250
    return found


@pytest.fixture
def project(workspace, tmp_path):
    with fake_rapidpro.serve(workspace) as address:
        yield WriteBackProject(tmp_path / "project", workspace, address)
