"""Stage 7: what it uploads, what it leaves, and how it ends. All data is invented."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engagement.__main__ import main

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
RUN_ID = "2026-11-22T020511Z-" + "ab" * 20
EARLIER = "2026-11-21T020511Z-" + "cd" * 20


class Night:
    """The files of a run, and an embedded storage to upload them to."""

    def __init__(self, folder):
        self.folder = folder
        self.logs, self.backups = folder / "performance logs", folder / "back ups"
        for directory in (self.logs, self.backups):
            directory.mkdir()
        self.storage = folder / "embedded" / "storage"
        self.credentials = folder / "credentials.json"
        self.credentials.write_text('{"type": "embedded", "directory": "embedded"}')
        self.configuration = folder / "pipeline_configuration.json"
        self.configure(
            MemoryProfileUploadURLPrefix="gs://logs/P/memory-", DataArchiveUploadURLPrefix="gs://archives/P/data-"
        )

    def configure(self, **keys):
        document = {
            "RawDataSources": [{"SourceType": "RecoveryCSV"}],
            "PhoneNumberUuidTable": {"FirebaseCredentialsFileURL": "gs://keys/firebase.json", "TableName": "T"},
            "RapidProKeyRemappings": [],
            "ProjectStartDate": "2026-01-01T00:00:00+03:00",
            "ProjectEndDate": "2026-02-01T00:00:00+03:00",
            "FilterTestMessages": True,
            "MoveWSMessages": True,
            "CodingPlansFile": "coding_plans.json",
            **keys,
        }
        self.configuration.write_text(json.dumps(document))

    def leave_files(self, run_id, *kinds):
        paths = {
            "profile": self.logs / f"memory-{run_id}.profile",
            "log": self.logs / f"{run_id}.log",
            "archive": self.backups / f"data-{run_id}.tar.gz",
        }
        for kind in kinds:
            paths[kind].write_text(f"{kind} of {run_id}\n")

    def arguments(self, *options, run_id=RUN_ID):
        return [
            *["upload-logs", "--user", "me", "--credentials", str(self.credentials)],
            *["--pipeline-configuration", str(self.configuration), "--run-id", run_id],
            *["--memory-profile", str(self.logs / f"memory-{run_id}.profile")],
            *["--data-archive", str(self.backups / f"data-{run_id}.tar.gz"), *options],
        ]

    def upload(self, *options, run_id=RUN_ID):
        return main(self.arguments(*options, run_id=run_id))

    @property
    def objects(self):
        return {
            path.relative_to(self.storage).as_posix(): path.read_text()
            for path in self.storage.rglob("*")
            if path.is_file()
        }


@pytest.fixture
def night(tmp_path, caplog):
    caplog.set_level("INFO")
    return Night(tmp_path)


def test_archive_profile_and_log_are_uploaded_once(night, caplog):
    night.leave_files(RUN_ID, "profile", "log", "archive")
    night.leave_files(EARLIER, "profile", "log", "archive")
    assert night.upload() == 0
    objects = {
        f"logs/P/memory-{RUN_ID}.profile": f"profile of {RUN_ID}\n",
        f"logs/P/log-{RUN_ID}.log": f"log of {RUN_ID}\n",
        f"archives/P/data-{RUN_ID}.tar.gz": f"archive of {RUN_ID}\n",
    }
    assert night.objects == objects
    assert f"Archive gs://archives/P/data-{RUN_ID}.tar.gz: uploaded: " in caplog.text
    caplog.clear()
    # The log goes on growing after it was uploaded.
    with (night.logs / f"{RUN_ID}.log").open("a") as log:
        log.write("the end\n")
    assert night.upload() == 0
    assert night.objects == objects
    assert caplog.text.count("there already, the same") == 3


@pytest.mark.parametrize(
    ("prefix", "stored"),
    [
        ("gs://logs/P/memory-", "logs/P/log-{}.log"),
        ("gs://logs/P/", "logs/P/log-{}.log"),
        # Two projects in one folder stay apart.
        ("gs://logs/memory-season-2-", "logs/log-season-2-{}.log"),
        ("gs://logs/season-2-", "logs/season-2-log-{}.log"),
        ("gs://logs/memory of P/", "logs/memory of P/log-{}.log"),
    ],
)
def test_the_log_is_called_a_log_beside_the_profile(night, prefix, stored):
    night.configure(MemoryProfileUploadURLPrefix=prefix)
    night.leave_files(RUN_ID, "log")
    assert night.upload() == 0
    assert list(night.objects) == [stored.format(RUN_ID)]


def test_logs_that_were_uploaded_under_their_former_name_are_not_uploaded_again(night, caplog):
    for run_id in (EARLIER, RUN_ID):
        night.leave_files(run_id, "log", "archive")
        former = night.storage / "logs" / "P" / f"memory-{run_id}.log"
        former.parent.mkdir(parents=True, exist_ok=True)
        former.write_text("the log, as it was by then\n")
    assert night.upload("--pending") == 0
    assert not any("/log-" in name for name in night.objects)
    assert f"Log gs://logs/P/memory-{RUN_ID}.log: there already, under its former name" in caplog.text


def test_a_run_that_was_not_profiled_is_no_error(night, caplog):
    night.leave_files(RUN_ID, "archive")
    assert night.upload() == 0
    assert list(night.objects) == [f"archives/P/data-{RUN_ID}.tar.gz"]
    assert f"No memory profile of run {RUN_ID}" in caplog.text


def test_a_missing_archive_exits_11_after_everything_else_was_uploaded(night, capsys):
    night.leave_files(RUN_ID, "profile", "log")
    assert night.upload() == 11
    assert f"data-{RUN_ID}.tar.gz: no such file; expected the run's archive." in capsys.readouterr().err
    assert len(night.objects) == 2
    assert night.upload("--pending") == 0


_QUIET = """
import sys
from engagement.__main__ import main
assert main(sys.argv[1:]) == 0
sys.exit("pydantic" in sys.modules)
"""


def test_a_known_project_is_uploaded_without_its_models_and_its_changes_are_noticed(night, capsys):
    (night.folder / "coding_plans.json").write_text('{"CodeSchemesDir": "schemes"}')
    night.leave_files(RUN_ID, "archive")
    known = ("--sessions-dir", str(night.backups / ".uploads"))
    assert night.upload(*known) == 0
    night.leave_files(EARLIER, "archive")
    command = [sys.executable, "-c", _QUIET, *night.arguments(*known, run_id=EARLIER)]
    assert subprocess.run(command, env={**os.environ, "PYTHONPATH": SOURCE}).returncode == 0
    assert set(night.objects) == {f"archives/P/data-{run_id}.tar.gz" for run_id in (RUN_ID, EARLIER)}
    night.configure(DataArchiveUploadURLPrefix="gs://elsewhere/data-")
    assert night.upload(*known) == 0
    assert f"elsewhere/data-{RUN_ID}.tar.gz" in night.objects
    night.configure(Odd=1)
    assert night.upload(*known) == 10
    assert "Odd" in capsys.readouterr().err


def test_a_folder_for_notes_that_can_not_be_written_hinders_no_upload(night, caplog):
    (night.folder / "coding_plans.json").write_text('{"CodeSchemesDir": "schemes"}')
    night.leave_files(RUN_ID, "archive")
    (night.backups / ".uploads" / "known_project.json").mkdir(parents=True)
    assert night.upload("--sessions-dir", str(night.backups / ".uploads")) == 0
    assert set(night.objects) == {f"archives/P/data-{RUN_ID}.tar.gz"}
    assert "has to read the whole configuration again" in caplog.text


def test_a_configuration_without_addresses_is_no_error(night, caplog):
    night.configure()
    assert night.upload() == 0
    assert "Nothing to upload" in caplog.text
    assert not night.storage.exists()


def test_pending_uploads_what_earlier_nights_could_not(night, caplog):
    night.leave_files(EARLIER, "profile", "log", "archive")
    assert night.upload(run_id=EARLIER) == 0
    oldest = "2026-11-20T020511Z-unknown"
    night.leave_files(oldest, "log", "archive")
    night.leave_files(RUN_ID, "log", "archive")
    (night.backups / f"data-{oldest}.tar.gz.partial").write_text("unfinished")
    (night.backups / "notes.tar.gz").write_text("somebody's own")
    caplog.clear()
    assert night.upload("--pending") == 0
    assert {name.partition("/")[0] for name in night.objects} == {"logs", "archives"}
    assert len(night.objects) == 3 + 2 + 2
    assert caplog.text.count(": uploaded: ") == 4
    # Another run of it has nothing left to do.
    caplog.clear()
    assert night.upload("--pending") == 0
    assert ": uploaded: " not in caplog.text


def test_what_is_there_and_differs_exits_12_and_hinders_nothing_else(night, capsys):
    night.leave_files(RUN_ID, "profile", "log", "archive")
    theirs = night.storage / "logs" / "P" / f"memory-{RUN_ID}.profile"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    assert night.upload() == 12
    assert f"gs://logs/P/memory-{RUN_ID}.profile: is not the same as " in capsys.readouterr().err
    assert theirs.read_text() == "theirs"
    assert len(night.objects) == 3


def test_a_folder_of_this_machine_takes_uploads_too(night, tmp_path):
    night.configure(DataArchiveUploadURLPrefix=f"file://{tmp_path}/far%20away/data-")
    night.leave_files(RUN_ID, "archive")
    assert night.upload() == 0
    assert (tmp_path / "far away" / f"data-{RUN_ID}.tar.gz").read_text() == f"archive of {RUN_ID}\n"


@pytest.mark.parametrize("run_id", ["", "a/b", "a\nb"])
def test_a_run_id_that_makes_no_name_exits_2(night, run_id, capsys):
    assert night.upload(run_id=run_id) == 2
    assert "is not a run id" in capsys.readouterr().err
