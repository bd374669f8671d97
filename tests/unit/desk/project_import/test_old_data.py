"""What is asked of an import besides the plans: wrong options, what can't be done yet, and all of it at once."""

import argparse
import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from engagement.configuration.loading import read_project_files
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.old_data.options import (
    OldData,
    add_arguments_of_old_data,
    note_old_data,
    refuse_old_data,
)
from engagement.foundation.errors import InputError, UsageError
from example_project import DataRoot, Document, coda_message, episode_run, label, write_project


@pytest.fixture
def old(tmp_path: Path) -> DataRoot:
    root = DataRoot(tmp_path / "old")
    root.write_runs(episode_run("a", "biyo"), episode_run("b", "dugsi", run_id=2))
    root.write_coded("s01e01", coda_message("biyo", label("episode1", "water")))
    root.generate()
    (root.path / "Coded Coda Files" / "EXAMPLE_s01e01.json").rename(root.path / "Coded Coda Files" / "first_show.json")
    return root


def parse(new_folder: Path, *options: str) -> tuple[OldData, argparse.Namespace]:
    parser = argparse.ArgumentParser()
    add_arguments_of_old_data(parser)
    args = parser.parse_args(options)
    return OldData.of(args, new_folder), args


def note(asked: OldData, configuration: Path) -> Migration:
    migration = Migration()
    with contextlib.ExitStack() as stack:
        note_old_data(asked, read_project_files(configuration), {"first_show": "EXAMPLE_s01e01"}, migration, stack)
    return migration


def test_everything_at_once(tmp_path: Path, old: DataRoot):
    data_root, outputs = old.path, old.path / "Outputs"
    options = ["--data-root", str(data_root), "--coded", str(data_root / "Coded Coda Files")]
    asked, args = parse(tmp_path / "new", *options, "--compare-with", str(outputs / "messages.csv"))
    refuse_old_data(asked, args, [tmp_path / "old project", tmp_path / "new"])
    migration = note(asked, old.configuration)
    new = tmp_path / "new_data_root"
    assert json.loads((new / "Coded Coda Files" / "EXAMPLE_s01e01.json").read_text())[0]["Text"] == "biyo"
    done = "\n".join(migration.lines("Done"))
    assert "same columns in the same order" in done
    assert "2 runs of 3 flows and 2 participants verified" in done
    assert "`messages.csv`: the same 2 rows, with the same counts in every column." in done
    assert "by scheme: episode1 1; ws 0" in "\n".join(migration.lines("Changed"))


def test_nothing_asked_is_nothing_done(tmp_path: Path, old: DataRoot):
    asked, args = parse(tmp_path / "new")
    refuse_old_data(asked, args, [])
    assert asked == OldData()
    assert note(asked, old.configuration).as_markdown() == Migration().as_markdown()


def test_errors_of_the_plans_leave_the_data_and_tell_what_to_do(tmp_path: Path, old: DataRoot):
    def spoil(plans: Document) -> None:
        plans["RQACodingPlans"][0]["CodingConfigurations"][0]["CodeScheme"] = "lost.json"

    configuration = write_project(tmp_path / "faulty", change_plans=spoil)
    options = ["--data-root", str(old.path), "--coded", str(old.path / "Coded Coda Files")]
    asked, _ = parse(tmp_path / "new", *options, "--compare-with", str(old.path / "Outputs" / "messages.csv"))
    migration = note(asked, configuration)
    to_decide = "\n".join(migration.lines("To decide"))
    for name in ("`--compare-with`:", "`--coded`:", "`preview`: the new project has errors"):
        assert name in to_decide
    assert "2 runs of 3 flows" in "\n".join(migration.lines("Done"))
    assert (tmp_path / "new_data_root" / "Coded Coda Files" / "EXAMPLE_s01e01.json").exists()


def test_errors_of_the_configuration_leave_everything(tmp_path: Path, old: DataRoot):
    def spoil(configuration: Document) -> None:
        del configuration["RawDataSources"]

    configuration = write_project(tmp_path / "faulty", change_configuration=spoil)
    asked, _ = parse(tmp_path / "new", "--data-root", str(old.path))
    assert "not taken over" in "\n".join(note(asked, configuration).lines("To decide"))
    assert not (tmp_path / "new_data_root").exists()


def test_a_damaged_old_file_leaves_nothing_behind(tmp_path: Path, old: DataRoot):
    (old.path / "Coded Coda Files" / "first_show.json").write_text("[")
    asked, _ = parse(tmp_path / "new", "--data-root", str(old.path))
    with pytest.raises(InputError, match=r"first_show\.json"):
        note(asked, old.configuration)
    assert list(tmp_path.glob("new*")) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (lambda root: ["--new-data-root", "x"], "--data-root was not given"),
        (lambda root: ["--compare-with", str(root / "nothing.csv")], "no such file"),
        (lambda root: ["--coded", str(root / "nothing")], "no such directory"),
        (lambda root: ["--data-root", str(root / "Raw Data")], "no folder 'Raw Data'"),
        (lambda root: ["--data-root", str(root), "--new-data-root", str(root / "new")], "is in the other"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_read(
    tmp_path: Path, old: DataRoot, options: Callable[[Path], list[str]], said: str
):
    asked, args = parse(tmp_path / "new", *options(old.path))
    with pytest.raises(UsageError, match=said):
        refuse_old_data(asked, args, [tmp_path / "new"])
