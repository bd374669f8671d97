"""Whatever decides what stage 3 writes: if it changed, nothing is left alone, and the outputs are those of a full run."""

import csv
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engagement.configuration.known_facts import facts_path
from engagement.foundation.file_stamps import stamp_of
from engagement.labelling.datasets.adjudications import Decision, keep_decisions
from engagement.pipeline.outputs import workbooks
from example_project import (
    SURVEY_FLOW,
    DataRoot,
    coda_message,
    episode_run,
    label,
    make_scheme,
    survey_run,
    uid_of,
    write_project,
)
from incremental_runs import leave_manifest, outputs_of, read_processed
from suggested_season import Season

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
_KEPT = "kept Outputs/ as it is"
NAMES = tuple(f"0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f{number:02}" for number in range(12))
GROUP, LINKS = "mothers.csv", "linked.csv"
MORE = {
    "ListeningGroups": [{"Name": "mothers", "Files": [GROUP]}],
    "LinkedParticipants": [LINKS],
    "TimeZone": "Africa/Nairobi",
}


def write_rows(root: DataRoot, file: str, *rows: list[str]) -> None:
    with (root.configuration.parent / file).open("w", newline="") as target:
        csv.writer(target).writerows(rows)


@pytest.fixture(autouse=True)
def _zones():
    before = zoneinfo.TZPATH
    yield
    zoneinfo.reset_tzpath(before)
    zoneinfo.ZoneInfo.clear_cache()


@pytest.fixture
def root(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> DataRoot:
    """A data root of a project that uses much, which stage 3 has been over."""
    caplog.set_level("INFO")
    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", lambda document: document.update(MORE)))
    root.write_runs(
        *(episode_run(name, f"haa {number}", run_id=number) for number, name in enumerate(NAMES)),
        *(survey_run(name, run_id=100 + number, gender="nin") for number, name in enumerate(NAMES[:3])),
    )
    root.write_coded("s01e01", *(coda_message(f"haa {number}", label("episode1", "water")) for number in range(6)))
    write_rows(root, GROUP, ["uid"], [uid_of(NAMES[0])])
    write_rows(root, LINKS, ["uid", "uid_2"], [uid_of(NAMES[0]), uid_of(NAMES[1])])
    leave_manifest(root)
    root.generate()
    # From now on it knows the project.
    root.generate()
    assert facts_path(root.path, "outputs").exists()
    caplog.clear()
    return root


def test_a_project_that_uses_much_is_kept_too(root: DataRoot, caplog):
    root.generate()
    assert _KEPT in caplog.text


_LOADED = """
import sys
from engagement.__main__ import main
assert main(sys.argv[1:]) == 0
print(*sorted({"numpy", "pyarrow", "pandas", "rapidfuzz", "phonenumbers", "pydantic"} & sys.modules.keys()))
"""


def test_to_see_that_nothing_changed_takes_no_library_of_numbers_or_texts(root: DataRoot):
    command = [
        sys.executable, "-c", _LOADED, "generate-outputs", "--user", "tester@example.org",
        "--credentials", root.credentials, "--pipeline-configuration", root.configuration, "--data-root", root.path,
    ]  # fmt: skip
    found = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": SOURCE}
    )
    assert _KEPT in found.stderr
    assert found.stdout == "\n"


def decide(root: DataRoot) -> None:
    message = coda_message("haa 1")
    decision = Decision(
        message["MessageID"], "Scheme-episode1", ("episode1-school",), "lead@example.org", "2026-04-06T08:00:00+00:00"
    )
    keep_decisions(root.path, "EXAMPLE_s01e01", [decision])


def change_json(name: str, change: Callable[[Any], object]) -> Callable[[DataRoot], None]:
    def do(root: DataRoot) -> None:
        path = root.configuration.parent / name
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    return do


def move_the_zone(root: DataRoot) -> None:
    """Give the time zone the rules of another one, as an update of the machine may."""
    [london, *_] = (path for folder in zoneinfo.TZPATH if (path := Path(folder) / "Europe" / "London").is_file())
    rules = root.path.parent / "rules" / "Africa" / "Nairobi"
    rules.parent.mkdir(parents=True)
    shutil.copyfile(london, rules)
    zoneinfo.reset_tzpath([str(rules.parents[1])])
    zoneinfo.ZoneInfo.clear_cache()


def add_question(plans: dict[str, Any]) -> None:
    [first, *_] = plans["RQACodingPlans"][0]["CodingConfigurations"]
    plans["RQACodingPlans"][0]["CodingConfigurations"].append(
        {**first, "CodeScheme": "episode2.json", "CodedField": "more_coded", "AnalysisFileKey": "more"}
    )


def write_other_answers(root: DataRoot) -> None:
    root.write_flow(SURVEY_FLOW, survey_run(NAMES[0], run_id=100, gender="naag"))
    leave_manifest(root)


CHANGES: dict[str, Callable[[DataRoot], object]] = {
    "attendance": lambda root: write_rows(root, GROUP, ["uid"], [uid_of(NAMES[5])]),
    "links": lambda root: write_rows(root, LINKS, ["uid", "uid_2"], [uid_of(NAMES[0]), uid_of(NAMES[2])]),
    "a decision between coders": decide,
    "the rules of the time zone": move_the_zone,
    "the time zone": change_json("pipeline_configuration.json", lambda one: one.update(TimeZone="Europe/London")),
    "the project's end": change_json(
        "pipeline_configuration.json", lambda one: one.update(ProjectEndDate="2026-03-02T00:00:00+03:00")
    ),
    "a test contact": change_json(
        "pipeline_configuration.json", lambda one: one.update(TestParticipantUUIDs=[uid_of(NAMES[4])])
    ),
    "a table less": change_json("pipeline_configuration.json", lambda one: one.update(MessagesIndex=False)),
    "a coding plan": change_json("coding_plans.json", add_question),
    "a scheme": change_json(
        "code_schemes/episode1.json",
        lambda one: one.update(make_scheme("episode1", ["water", "school", "roads", "haa"])),
    ),
    "a flow's runs": write_other_answers,
}  # fmt: skip


def tables_of(root: DataRoot) -> dict[str, bytes]:
    """The outputs that tell nothing of the run."""
    paths = [*root.outputs.glob("*.csv"), *root.outputs.glob("Coda Files/*"), root.outputs / "message_counts.json"]
    return {path.name: path.read_bytes() for path in paths}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_decides_the_outputs_is_noticed(root: DataRoot, caplog, change: Callable[[DataRoot], object]):
    before = tables_of(root)
    change(root)
    root.generate(accept_lost_withdrawals=True, accept_shrinkage=True)
    assert _KEPT not in caplog.text
    found = tables_of(root)
    assert found != before
    root.generate(full=True, accept_lost_withdrawals=True, accept_shrinkage=True)
    assert tables_of(root) == found


def test_other_rules_of_the_time_zone_are_named(root: DataRoot, caplog):
    move_the_zone(root)
    root.generate()
    assert read_processed(caplog) == "the time zone's rules changed"


@pytest.mark.parametrize("change", ["user", "account", "options", "place"])
def test_who_runs_it_and_how_are_part_of_the_outputs_or_the_manifest(root, caplog, monkeypatch, change: str):
    options: dict[str, Any] = {}
    if change == "user":
        options = {"user": "another@example.org"}
    elif change == "account":
        monkeypatch.setenv("ENGAGEMENT_ACCOUNT", "another")
    elif change == "options":
        options = {"allow_project_code": True}
    else:
        other = root.configuration.parent.with_name("moved")
        shutil.copytree(root.configuration.parent, other)
        options = {"pipeline_configuration": other / root.configuration.name}
    root.generate(**options)
    assert _KEPT not in caplog.text


@pytest.mark.parametrize("name", ["numpy", "tzdata"])
def test_another_version_of_a_package_is_another_pipeline(root, caplog, monkeypatch, name: str):
    from engagement.foundation.own_code import describe_own_code

    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda one: "99" if one == name else real(one))
    describe_own_code.cache_clear()
    try:
        root.generate()
    finally:
        describe_own_code.cache_clear()
    assert read_processed(caplog) == "the pipeline changed"


def test_the_copy_of_the_project_is_looked_into(root, caplog):
    [path] = (root.path / "State" / "project").glob("pipeline_configuration.json")
    expected, status = path.read_bytes(), path.stat()
    path.write_bytes(expected.replace(b"EXAMPLE", b"exAMPLE"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    root.generate()
    assert _KEPT not in caplog.text
    assert path.read_bytes() == expected


def test_a_file_that_was_looked_at_within_the_tick_of_its_change_is_read_again(root, caplog, monkeypatch):
    """However long its reading took."""
    from engagement.custody.run_manifests import manifest

    path = root.path / "Coded Coda Files" / "EXAMPLE_s01e01.json"
    digests = manifest.FileDigests(None)
    changed = stamp_of(path)[2]
    moments = iter([changed + 10**9, changed + 10 * 10**9])
    monkeypatch.setattr(manifest.time, "time_ns", lambda: next(moments))
    assert digests.digest("labels", path).stamp is None


def test_warnings_of_other_processes_are_said_again(tmp_path: Path, caplog, monkeypatch):
    caplog.set_level("INFO")
    monkeypatch.setattr(workbooks, "_report", lambda path, losses: workbooks.log.warning("%s: too much", path.name))
    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", lambda one: one.update(SpreadsheetFiles=True)))
    root.write_runs(*(episode_run(name, "haa", run_id=number) for number, name in enumerate(NAMES)))
    leave_manifest(root)
    root.generate(jobs=2)
    caplog.clear()
    root.generate()
    assert _KEPT in caplog.text
    assert "messages.xlsx: too much" in caplog.messages


@pytest.fixture
def season(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Season:
    """A season with suggestions, which stage 3 has been over."""
    caplog.set_level("INFO")
    season = Season(tmp_path)
    leave_manifest(season.write())
    season.root.generate()
    assert season.suggested()
    caplog.clear()
    return season


def test_suggestions_are_kept(season: Season, caplog):
    before = outputs_of(season.root)
    season.root.generate()
    assert _KEPT in caplog.text
    season.root.generate(full=True)
    assert outputs_of(season.root) == before


def label_more(season: Season) -> None:
    season.coded |= {text: [label("episode1", "roads")] for text in [*season.texts.values()][-30:]}
    season.write()
    leave_manifest(season.root)


def remove_models(season: Season) -> None:
    [model] = season.state.glob("*.npz")
    model.unlink()


SUGGESTION_CHANGES: dict[str, Callable[[Season], object]] = {
    "labels": label_more,
    "models": remove_models,
    "what was suggested": lambda season: (season.state / "EXAMPLE_s01e01.json").write_text("{}"),
    "the reading list": lambda season: (season.root.outputs / "Suggestions" / "EXAMPLE_s01e01.csv").write_text(""),
    "second coders' labels": lambda season: season.root.write_coded("s01e01_second", coda_message(season.texts["p1"])),
}


@pytest.mark.parametrize("change", SUGGESTION_CHANGES.values(), ids=SUGGESTION_CHANGES)
def test_what_decides_suggestions_is_noticed(season: Season, caplog, change: Callable[[Season], object]):
    change(season)
    season.root.generate()
    assert _KEPT not in caplog.text


@pytest.mark.parametrize("name", ["scipy", "scikit-learn"])
def test_another_version_of_what_learns_is_noticed(season: Season, caplog, monkeypatch, name: str):
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda one: "99" if one == name else real(one))
    season.root.generate()
    assert _KEPT not in caplog.text
