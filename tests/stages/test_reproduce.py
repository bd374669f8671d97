"""Runs leave what they were made with; `reproduce` makes their outputs again, whatever changed since."""

import json
import re
from pathlib import Path

import pytest

from engagement.__main__ import main
from example_project import DataRoot, coda_message, episode_run, label, write_project
from incremental_runs import leave_manifest

RUN = "2026-11-{:02}T020000Z-" + "0" * 40


class Nights:
    """A data root of which each run of stage 3 is archived."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = DataRoot(folder)
        self.archives = folder / "archives"
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.root.write_runs(
            *(episode_run(name, f"text of {name}", run_id=place) for place, name in enumerate("abcdefgh", 1))
        )

    def run(self, day: int, **options: object) -> str:
        run_id = RUN.format(day)
        self._monkeypatch.setenv("PIPELINE_RUN_ID", run_id)
        self.root.generate(**options)
        arguments = ["--data-root", str(self.root.path), "--backups-dir", str(self.archives), "--run-id", run_id]
        assert main(["backup-data-root", *arguments]) == 0
        return run_id

    def manifest(self, run_id: str) -> dict:
        return json.loads((self.root.path / "Runs" / "manifests" / f"{run_id}.json").read_text())

    def reproduce(self, run_id: str, *options: str) -> tuple[int, str]:
        self._capsys.readouterr()
        status = main(["reproduce", str(self.root.path), run_id, *options])
        shown = self._capsys.readouterr()
        return status, shown.out + shown.err

    def from_archives(self, run_id: str) -> tuple[int, str]:
        return self.reproduce(run_id, "--archives", str(self.archives))


@pytest.fixture
def nights(tmp_path, monkeypatch, capsys):
    return Nights(tmp_path, monkeypatch, capsys)


def test_a_manifest_has_versions_options_and_the_digest_of_each_input(nights):
    nights.root.write_coded("gender", coda_message("text of a", label("gender", "female")))
    manifest = nights.manifest(nights.run(1))
    assert {"revision", "code", "Python", "Pipfile.lock", "numpy"} <= set(manifest["versions"])
    assert manifest["options"] == {"allow_project_code": "false", "mode": "all-stages"}
    assert "Coded Coda Files/EXAMPLE_gender.json" in manifest["files"]
    assert sum(name.startswith("Raw Data/") for name in manifest["files"]) == 3
    kept = nights.root.path / "State" / "run_inputs"
    digests = {manifest["configuration"], manifest["coding_plans"], *manifest["schemes"].values()}
    assert {path.stem for path in kept.iterdir()} == digests


def test_the_contents_of_a_project_are_kept_once_and_without_secret_addresses(nights):
    def notify(configuration):
        configuration["Notify"] = {"PingURL": "https://example.org/ping/secret-token"}

    nights.run(1)
    kept = nights.root.path / "State" / "run_inputs"
    before = {path.name for path in kept.iterdir()}
    write_project(nights.root.configuration.parent, notify)
    nights.run(2)
    assert {path.name for path in kept.iterdir()} == before
    written = [path for path in nights.root.path.rglob("*") if path.is_file() and b"secret-token" in path.read_bytes()]
    assert written == []


def test_the_last_run_is_made_again_from_the_data_root_with_the_same_bytes(nights):
    status, shown = nights.reproduce(nights.run(1))
    assert status == 0, shown
    assert "with inputs from the data root" in shown
    assert re.search(r"The same bytes: all \d+ files", shown)


def test_a_run_that_kept_the_outputs_is_made_again_like_any_other(nights, caplog):
    caplog.set_level("INFO")
    leave_manifest(nights.root)
    nights.run(1)
    second = nights.run(2)
    assert "kept Outputs/ as it is" in caplog.text
    for reproduce in (nights.reproduce, nights.from_archives):
        status, shown = reproduce(second)
        assert status == 0, shown
        assert "The same bytes: all" in shown


def test_yesterdays_run_is_made_again_after_the_configuration_and_the_data_changed(nights):
    first = nights.run(1)

    def rename(configuration):
        configuration["ProjectEndDate"] = "2026-04-01T09:00:00+03:00"

    write_project(nights.root.configuration.parent, rename)
    nights.root.write_runs(episode_run("z", "another text"))
    nights.run(2, accept_shrinkage=True)
    status, shown = nights.from_archives(first)
    assert status == 0, shown
    assert f"with inputs from data-{first}.tar.gz" in shown
    assert "The same bytes: all" in shown
    # Without the archive nothing can be compared, and each other file is named.
    status, shown = nights.reproduce(first)
    assert status == 11
    assert "Raw Data/s01e1_activation.jsonl: has other contents" in shown


def test_the_input_that_makes_outputs_differ_is_named(nights):
    first = nights.run(1)
    nights.root.write_runs(episode_run("a", "something else"))
    status, shown = nights.reproduce(first)
    assert status == 11
    assert "Differs: messages.csv" in shown
    assert "ERROR: Run" in shown
    assert "the data root, Raw Data/s01e1_activation.jsonl: has other contents" in shown.partition("ERROR")[2]
    assert "something else" not in shown


def test_another_version_is_named(nights, monkeypatch):
    first = nights.run(1)
    path = nights.root.path / "Runs" / "manifests" / f"{first}.json"
    path.write_text(path.read_text().replace('"Python": "3', '"Python": "2'))
    status, shown = nights.reproduce(first)
    assert status == 0
    assert "Not as in the run: Python: 2" in shown


def test_times_of_records_that_were_kept_from_earlier_runs_are_told_apart(nights):
    nights.run(1)
    lines = [episode_run(name, f"text of {name}", run_id=place) for place, name in enumerate("abcdefgh", 1)]
    nights.root.write_runs(*lines, episode_run("i", "one more", run_id=9))
    second = nights.run(2)
    assert not nights.manifest(second)["is_full"]
    status, shown = nights.reproduce(second)
    assert status == 0, shown
    assert (
        "Only times, users and hashes differ: the run kept records that earlier runs had made: messages_traced_data.jsonl"
        in shown
    )


def test_nothing_in_the_data_root_changes(nights):
    first = nights.run(1)
    before = {path: path.read_bytes() for path in nights.root.path.rglob("*") if path.is_file()}
    nights.reproduce(first)
    assert {path: path.read_bytes() for path in nights.root.path.rglob("*") if path.is_file()} == before


def test_a_run_without_a_manifest_is_refused_with_those_that_have_one(nights):
    first = nights.run(1)
    status, shown = nights.reproduce("2020-01-01T000000Z-unknown")
    assert status == 2
    assert first in shown


def test_a_folder_in_the_data_root_is_refused(nights):
    first = nights.run(1)
    assert nights.reproduce(first, "--output", str(nights.root.path / "again"))[0] == 2


def test_a_kept_scheme_that_was_changed_is_refused(nights):
    first = nights.run(1)
    kept = nights.root.path / "State" / "run_inputs"
    path = kept / f"{nights.manifest(first)['configuration']}.json"
    path.write_text(path.read_text().replace("EXAMPLE", "OTHER"))
    status, shown = nights.reproduce(first)
    assert status == 11
    assert "not what its name says" in shown


def test_everything_is_for_the_user_alone(nights):
    assert main(["status", str(nights.root.path / "none")]) == 2
    nights.run(1)
    new = [nights.root.path / "Runs", nights.root.path / "State" / "run_inputs"]
    found = {path: path.stat().st_mode & 0o077 for folder in new for path in (folder, *folder.rglob("*"))}
    assert [path for path, bits in found.items() if bits] == []
