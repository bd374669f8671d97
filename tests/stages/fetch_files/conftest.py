"""A project whose sources are files."""

import pytest

from fetch_project import FetchProject


@pytest.fixture
def project(tmp_path):
    project = FetchProject(tmp_path, "no-rapidpro.invalid")
    (tmp_path / "embedded" / "storage" / "recovered" / "2025").mkdir(parents=True)
    return project
