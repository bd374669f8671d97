"""The demo, with all that its services hold: each test changes a copy."""

import shutil

import pytest

from engagement.__main__ import main
from engagement.sandbox.server import serve
from engagement.sandbox.workspace import make_workspace
from online_desk import Desk


@pytest.fixture(scope="session")
def workspace():
    return make_workspace(seed=7, round_number=0)


@pytest.fixture(scope="session")
def rapid_pro(workspace):
    """Address of the sandbox's RapidPro."""
    with serve(workspace) as address:
        yield address


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """The demo's directory, with all of its embedded services."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    assert main(["sandbox-prepare", "--directory", str(folder)]) == 0
    return folder


@pytest.fixture
def desk(prepared, tmp_path, rapid_pro, workspace, capsys):
    shutil.copytree(prepared, tmp_path / "demo")
    test_contact = next(row["uuid"] for row in workspace.contacts if row["uuid"])
    desk = Desk(tmp_path / "demo", rapid_pro, workspace.token, capsys)
    desk.change(lambda document: document["RawDataSources"][0].update(TestContactUUIDs=[test_contact]))
    desk.fill_coda(desk.coda)
    capsys.readouterr()
    return desk
