"""Servers that die in the middle of a stage: it says so with status 12, and one more run makes it good.

RapidPro, Drive and the bucket are servers on this machine that stop answering after so many requests; see `faults` for how
the stages are run. Coda's own server is in `tests/services`, because it takes an emulator.
"""

import functools
import json
import os

import pytest

import fake_rapidpro
from chain_project import RUN_ID, ChainProject, differences, make_workspace
from fake_drive import FakeDrive
from fake_storage import fake_storage
from faults import in_server, run_stage
from serving import DroppedError

SECOND_RUN = "2026-04-04T023000Z-unknown"


@pytest.fixture(scope="module")
def workspace():
    return make_workspace()


@pytest.fixture(scope="module")
def project(tmp_path_factory, workspace):
    """A project that was fetched and analysed, with a copy of how it was at first."""
    with fake_rapidpro.serve(workspace) as address:
        project = ChainProject(tmp_path_factory.mktemp("project") / "a project", address)
        project.leave_log()
        project.keep("new")
        run_well(project, 2)
        project.keep("fetched")
        for stage in (3, 5, 6):
            run_well(project, stage)
        project.keep("done")
        yield project


def run_well(project, stage, **variables):
    ended = in_server(run, project.arguments(stage), variables)
    assert ended.status == 0, ended.told


def run(arguments, variables):
    """Run a stage with variables in its environment."""
    return run_stage(arguments, functools.partial(os.environ.update, variables))


def die_after(workspace, answered):
    """Let the RapidPro server answer so many more requests, and then none."""
    left = answered

    def trouble(request):
        nonlocal left
        left -= 1
        if left >= 0:
            return False
        workspace.trouble.append(trouble)
        return request.break_off()

    workspace.trouble.append(trouble)


def test_a_fetch_goes_on_after_rapidpro_died_at_any_request(project, workspace):
    project.put_back("new")
    workspace.requests.clear()
    run_well(project, 2)
    expected, requests = project.contents(), len(workspace.requests)
    assert requests > 8
    for answered in range(0, requests, 2):
        project.put_back("new")
        die_after(workspace, answered)
        ended = in_server(run, project.arguments(2), {})
        workspace.trouble.clear()
        assert ended.status == 12, ended.told
        assert "RapidPro http://127.0.0.1" in ended.told
        run_well(project, 2)
        assert differences(project.contents(), expected) == [], answered


class DyingDrive(FakeDrive):
    """A Drive that stops answering after so many requests."""

    answered = 10**6

    def answer(self, *request):
        self.answered -= 1
        if self.answered < 0:
            raise DroppedError
        return super().answer(*request)


def read_drive(drive):
    """The contents of all files in Drive, by path; each is there once."""
    found = {}
    for file_id, content in drive.contents.items():
        path, parents = drive.files[file_id]["name"], drive.files[file_id]["parents"]
        while parents[0] in drive.files:
            path, parents = f"{drive.files[parents[0]]['name']}/{path}", drive.files[parents[0]]["parents"]
        assert path not in found
        found[path] = content
    return found


@pytest.mark.parametrize(("stage", "before", "step"), [(3, "fetched", 5), (5, "done", 50)])
def test_what_is_in_drive_in_the_end_does_not_depend_on_when_it_died(project, stage, before, step):
    def begin(answered):
        """Start from the same project, and from an empty Drive that answers so many requests."""
        project.put_back(before)
        drive.files.clear()
        drive.contents.clear()
        drive.requests.clear()
        drive.answered = answered
        key = project.embedded / "storage" / "keys" / "drive.json"
        key.write_text(json.dumps(drive.key()))

    drive = DyingDrive()
    with drive.running():
        drive.add_shared_drive("Season")
        variables = {"DRIVE_EMULATOR_HOST": drive.root_url}
        begin(10**6)
        run_well(project, stage, **variables)
        expected_files, expected, requests = read_drive(drive), project.contents(), len(drive.requests)
        assert len(expected_files) >= 3
        for answered in range(0, requests, step):
            begin(answered)
            ended = in_server(run, project.arguments(stage), variables)
            assert ended.status == 12, (answered, ended.told)
            assert f"The outputs of stage {stage} are written; only the upload to Drive is missing." in ended.told
            drive.answered = 10**6
            run_well(project, stage, **variables)
            assert read_drive(drive) == expected_files, answered
            found = differences(project.contents(), expected)
            # Drive itself gives the ids of files.
            assert found == ["data root/State/drive/ids.json"], answered


def test_an_upload_goes_on_after_the_bucket_died_at_any_request(project):
    project.put_back("done")
    key = project.folder / "google.json"
    key.write_text('{"type": "service_account", "project_id": "invented"}')
    arguments = [str(key) if part == str(project.credentials) else part for part in project.arguments(7)]
    files = {
        f"memory-{RUN_ID}.profile": project.logs / f"memory-{RUN_ID}.profile",
        f"log-{RUN_ID}.log": project.logs / f"{RUN_ID}.log",
        f"data-{RUN_ID}.tar.gz": project.backups / f"data-{RUN_ID}.tar.gz",
    }
    expected = {name: path.read_bytes() for name, path in files.items()}
    for answered in (0, 2, 5, 8):
        with fake_storage() as server:
            variables = {"STORAGE_EMULATOR_HOST": server.url}
            server.requests_left = answered
            ended = in_server(run, arguments, variables)
            assert ended.status == 12, (answered, ended.told)
            server.requests_left = None
            ended = in_server(run, arguments, variables)
            assert ended.status == 0, ended.told
            assert server.objects == expected
            assert [path.name for path in (project.backups / ".uploads").iterdir()] == ["known_project.json"]
