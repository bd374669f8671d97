"""Stage 3 when little changed: what it writes is what a full run writes, and those are left alone whose data did not change."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from changing_season import Season
from engagement.configuration import load_project
from engagement.processing.reuse.note_files import VERSION
from engagement.processing.reuse.settings import names_not_read
from engagement.stages import generate_outputs
from example_project import (
    SURVEY_FLOW,
    DataRoot,
    Document,
    coda_message,
    episode_run,
    label,
    survey_run,
    write_project,
)
from faults import KILLED, Changes, Ended, in_server, run_stage
from incremental_runs import outputs_of, read_processed


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")


@pytest.fixture
def roots(tmp_path: Path) -> tuple[DataRoot, DataRoot]:
    """Two data roots of one project: one where runs build on each other, one where each is a full run."""
    first = DataRoot(tmp_path)
    (tmp_path / "full").mkdir()
    return first, DataRoot(tmp_path / "full", first.configuration)


@pytest.mark.parametrize(("seed", "mode"), [(1, "all-stages"), (3, "auto-code-only")])
def test_a_season_of_changes_leaves_what_full_runs_leave(roots, caplog, seed: int, mode: str):
    root, full = roots
    season = Season(seed, participants=320)
    counts = []
    for step in range(8):
        season.write(root)
        season.write(full)
        root.generate(mode=mode, partitions=step % 3 + 1)
        counts.append(read_processed(caplog))
        full.generate(mode=mode, full=True)
        assert outputs_of(root) == outputs_of(full), f"step {step}"
        for _ in range(season.random.randrange(0, 5)):
            season.change()
    assert counts[0] == "no run left notes here"
    assert all(isinstance(count, int) and count < 60 for count in counts[1:])


# Twenty who stay as they are beside those whom a test is about.
OTHERS = [
    episode_run(f"o{n}", f"jawaab {n}", time=f"2026-04-{n % 9 + 1:02}T10:00:00+03:00", run_id=n) for n in range(20)
]

Step = Callable[[DataRoot], object]


def runs(*lines: str) -> Step:
    return lambda root: root.write_runs(*OTHERS[:10], *lines, *OTHERS[10:])


def coded(dataset: str, *messages: Document) -> Step:
    return lambda root: root.write_coded(dataset, *messages)


BIYO = episode_run("a", "biyo", run_id=50)
ALONE = [episode_run("a", "jooji", run_id=51), episode_run("a", "kaliya", run_id=52)]
STOP = coda_message("jooji", label("episode1", "STOP"))
WRONG = [label("episode1", "WS"), label("ws", "gender")]
LOST = [label("episode1", "WS"), label("ws", "elsewhere")]
# What is there at first, what changes then, and how many participants that concerns.
CHANGES: dict[str, tuple[list[Step], list[Step], int]] = {
    "nothing": ([runs(BIYO)], [], 0),
    "the same written once more": ([runs(BIYO)], [runs(BIYO)], 0),
    "a new run": ([runs(BIYO)], [runs(BIYO, episode_run("a", "rajo", 2, run_id=51))], 1),
    "a participant comes": ([runs()], [runs(BIYO)], 1),
    "a participant goes": ([runs(BIYO)], [runs()], 0),
    "everybody's lines lie elsewhere": ([runs(BIYO)], [lambda root: root.write_runs(BIYO, *reversed(OTHERS))], 0),
    "the runs of one come in another order": ([runs(*ALONE)], [runs(*reversed(ALONE))], 1),
    "a first label": ([runs(BIYO)], [coded("s01e01", coda_message("biyo", label("episode1", "water")))], 1),
    "a label of a text that nobody wrote": ([runs(BIYO)], [coded("s01e01", STOP)], 0),
    "a label of the same text in another dataset": ([runs(BIYO)], [coded("s01e02", coda_message("biyo", label("episode2", "hope")))], 0),
    "a label is taken off": (
        [runs(BIYO), coded("s01e01", coda_message("biyo", label("episode1", "water")))],
        [coded("s01e01", coda_message("biyo", label("episode1", "SPECIAL-MANUALLY_UNCODED"), label("episode1", "water")))],
        1,
    ),
    "a text that many wrote is labelled": (
        [runs(*(episode_run(f"m{n}", "biyo", run_id=60 + n) for n in range(4)))],
        [coded("s01e01", coda_message("biyo", label("episode1", "water")))],
        4,
    ),
    "somebody withdraws": ([runs(*ALONE)], [coded("s01e01", STOP)], 1),
    "somebody comes back": ([runs(*ALONE), coded("s01e01", STOP)], [coded("s01e01")], 1),
    # Its text is in no file of the last run, because only somebody who withdrew wrote it.
    "such a text gets into Coda": (
        [runs(*ALONE), coded("s01e01", STOP)],
        [coded("s01e01", STOP, coda_message("kaliya"))],
        1,
    ),
    "such a text is written by somebody who stays, later": (
        [runs(*ALONE), coded("s01e01", STOP)],
        [runs(*ALONE, episode_run("b", "kaliya", time="2026-05-01T10:00:00+03:00", run_id=53))],
        1,
    ),
    "a text loses who wrote it first": (
        [runs(BIYO, episode_run("b", "biyo", time="2026-03-08T10:00:00+03:00", run_id=53))],
        [runs(BIYO)],
        0,
    ),
    "an answer moves": (
        [runs(BIYO, survey_run("a", gender="nin"))],
        [coded("s01e01", coda_message("biyo", *WRONG)), coded("gender", coda_message("biyo", label("gender", "man")))],
        1,
    ),
    "a moved answer moves back": (
        [runs(BIYO), coded("s01e01", coda_message("biyo", *WRONG))],
        [coded("s01e01", coda_message("biyo", label("episode1", "water")))],
        1,
    ),
    "a moved answer is labelled where it arrived": (
        [runs(BIYO), coded("s01e01", coda_message("biyo", *WRONG))],
        [coded("gender", coda_message("biyo", label("gender", "woman")))],
        1,
    ),
    "an answer is lost": ([runs(BIYO)], [coded("s01e01", coda_message("biyo", *LOST))], 1),
    "one of two lost answers is found": (
        [runs(BIYO, *ALONE), coded("s01e01", coda_message("biyo", *LOST), coda_message("kaliya", *LOST))],
        [coded("s01e01", coda_message("kaliya", *LOST))],
        1,
    ),
    "the labels of one text contradict each other": (
        [runs(BIYO), coded("s01e01", coda_message("biyo", label("episode1", "WS")))],
        [runs(BIYO, episode_run("b", "biyo", run_id=53))],
        1,
    ),
    "nobody is left": ([runs(BIYO)], [lambda root: root.write_runs()], 0),
    "somebody's file is empty": ([runs(BIYO)], [lambda root: root.write_flow("s01_demographics")], 0),
}  # fmt: skip


BEFORE_CODING = [
    "a text loses who wrote it first",
    "an answer moves",
    "a moved answer moves back",
    "a participant goes",
]


@pytest.mark.parametrize(
    ("what", "mode"),
    [*((what, "all-stages") for what in CHANGES), *((what, "auto-code-only") for what in BEFORE_CODING)],
)
def test_only_participants_whose_data_changed_are_processed_again(tmp_path: Path, caplog, what: str, mode: str):
    root = DataRoot(tmp_path)
    first, then, count = CHANGES[what]
    for step in first:
        step(root)
    root.generate(mode=mode)
    for step in then:
        step(root)
    caplog.clear()
    root.generate(mode=mode, accept_shrinkage=True)
    assert read_processed(caplog) == count
    made, told = outputs_of(root), what_was_found(caplog)
    caplog.clear()
    root.generate(mode=mode, full=True)
    assert (made, told) == (outputs_of(root), what_was_found(caplog))


def what_was_found(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What a run told of the data."""
    messages = [record.getMessage() for record in caplog.records]
    return [message for message in messages if re.match("Read|Kept|Withdrew|Wrote|.* answer", message)]


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    """A data root after a run."""
    root = DataRoot(tmp_path)
    runs(BIYO, *ALONE, survey_run("a", gender="nin"))(root)
    root.write_coded("s01e01", STOP)
    root.generate()
    return root


def check_full_run(root: DataRoot, caplog: pytest.LogCaptureFixture, reason: str, **options: object) -> None:
    """The next run is a full one and says why; what it leaves is whole, so the one after that processes nobody."""
    root.generate(**options)
    assert read_processed(caplog) == reason
    made = outputs_of(root)
    root.generate(**options)
    assert read_processed(caplog) == 0
    assert outputs_of(root) == made


TEST_CONTACT = "3c5b7f0e-8d43-4c3e-9b6a-0d4f2a9c7e11"
NOTES = ["participants.array", "texts.array", "places.array", "digests.array", "labels.array"]
TABLES = ["messages", "individuals", "production"]
DAMAGES: list[Callable[[Path], object]] = [
    lambda path: path.write_bytes(path.read_bytes()[:7] + bytes([path.read_bytes()[7] ^ 1]) + path.read_bytes()[8:]),
    lambda path: path.write_bytes(path.read_bytes()[:-1]),
    lambda path: path.write_bytes(path.read_bytes() * 2),
    lambda path: path.unlink(),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=["another byte", "cut", "twice", "gone"])
def test_damaged_notes_are_of_no_use(root: DataRoot, caplog, damage: Callable[[Path], object]):
    before = outputs_of(root)
    for name in (*NOTES, *(f"{name}.rows" for name in TABLES)):
        damage(root.path / "State" / "outputs" / name)
        root.generate()
        assert read_processed(caplog) == "the notes of the last run are damaged"
        assert outputs_of(root) == before


UNREADABLE = "the notes of the last run can't be read"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text[:-10], UNREADABLE),
        (lambda text: "[]", UNREADABLE),
        (lambda text: f'{{"version": {VERSION}}}', UNREADABLE),
        (
            lambda text: text.replace(f'"version": {VERSION}', '"version": 0'),
            "the notes of the last run are of another version",
        ),
        (lambda text: text.replace('"the pipeline": "', '"the pipeline": "0'), "the pipeline changed"),
    ],
)
def test_notes_of_something_else_are_of_no_use(root: DataRoot, caplog, change, reason: str):
    path = root.path / "State" / "outputs" / "notes.json"
    path.write_text(change(path.read_text()))
    check_full_run(root, caplog, reason)


OUTPUTS = [
    *(f"Outputs/{name}.csv" for name in TABLES),
    "Outputs/messages_traced_data.jsonl",
    "Outputs/individuals_traced_data.jsonl",
    "Outputs/Coda Files/EXAMPLE_gender.json",
    "State/analysis/messages.parquet",
    "State/analysis/individuals.parquet",
]


@pytest.mark.parametrize(
    "damage",
    [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes())],
    ids=["gone", "with another time"],
)
def test_nothing_is_kept_of_outputs_that_somebody_else_changed(
    root: DataRoot, caplog, damage: Callable[[Path], object]
):
    before = outputs_of(root)
    for name in OUTPUTS:
        damage(root.path / name)
        root.generate()
        assert read_processed(caplog) == "Outputs/ or State/analysis/ is not as the last run left it"
        assert outputs_of(root) == before


def test_a_change_of_configuration_plans_schemes_or_mode_makes_a_full_run(root: DataRoot, caplog):
    folder = root.configuration.parent
    changes: list[dict] = [
        {"change_configuration": lambda document: document.update(ProjectEndDate="2026-05-30T00:00:00+03:00")},
        {"change_configuration": lambda document: document.update(GuardFormulas=True)},
        {
            "change_configuration": lambda document: document["RawDataSources"][0].update(
                TestContactUUIDs=[TEST_CONTACT]
            )
        },
        {"change_plans": lambda document: document["DemographicCodingPlans"].pop()},
        {"change_schemes": lambda schemes: schemes["gender"]["Codes"][0].update(StringValue="male")},
    ]
    for change in changes:
        write_project(folder, **change)
        check_full_run(root, caplog, "the configuration changed")
    check_full_run(root, caplog, "the mode changed", mode="auto-code-only")
    root.generate(mode="auto-code-only")
    assert read_processed(caplog) == 0


def change_all_that_stage_3_does_not_read(document: Document) -> None:
    """Change every key of the configuration that is listed as not read by stage 3."""
    source = document["RawDataSources"][0]
    source.update(
        Domain="http://127.0.0.1:4711", TokenFileURL="gs://elsewhere/token.txt", ContactsFileName="others",
        Identity="contact", Archives="ignore", FullTexts=True,
        SurveyFlowNames=[{"Name": SURVEY_FLOW, "UUID": "6f2f7d0c-58f1-4b0e-9f0f-6d7f5c1e2a35"}],
    )  # fmt: skip
    document["PhoneNumberUuidTable"]["TableName"] = "OTHERS"
    paths = {f"{name}UploadPath": f"new/{name}.csv" for name in ("Production", "Messages", "Individuals")}
    document.update(
        PipelineName="OTHERS", CodingPlansFile="./coding_plans.json", SmallCountThreshold=3,
        CodaUsers=["coder@example.org"], Disclosure={"PhoneNumbers": "allow"},
        AutomatedAnalysis={"SampleMessages": {"LimitPerCode": 7}}, Notify={"PingURL": "https://ping.example.org/1"},
        StatusPage={"File": "/srv/www/status.html"}, Contacts=[{"Name": "everybody", "To": {"Group": "everybody"}}],
        WriteBack={"Contacts": ["everybody"]}, WithdrawnElsewhere={"DataRoots": ["/srv/other"]},
        UpdateSuggestions=True, Backup={"Keep": {"Daily": 7}}, Retention={"Logs": "P30D"},
        DriveUpload={"DriveCredentialsFileURL": "gs://elsewhere/drive.json", **paths},
        MemoryProfileUploadBucket="gs://elsewhere", DataArchiveUploadBucket="gs://elsewhere", BucketDirPath="2027/",
    )  # fmt: skip


def add_what_is_changed_later(document: Document) -> None:
    survey = {"Name": SURVEY_FLOW, "UUID": "6f2f7d0c-58f1-4b0e-9f0f-6d7f5c1e2a34"}
    document["RawDataSources"][0]["SurveyFlowNames"] = [survey]
    document.update(MemoryProfileUploadURLPrefix="gs://logs/memory-", DataArchiveUploadURLPrefix="gs://logs/data-")


def test_settings_that_stage_3_does_not_read_make_no_full_run(root: DataRoot, caplog, monkeypatch):
    monkeypatch.setattr(generate_outputs, "upload", lambda *_: None)
    folder = root.configuration.parent
    before = load_project(write_project(folder, add_what_is_changed_later)).configuration
    root.generate()
    after = load_project(write_project(folder, change_all_that_stage_3_does_not_read)).configuration
    sources = [configuration.raw_data_sources[0] for configuration in (before, after)]
    flows = [source.survey_flow_choices[0] for source in sources]
    for one, other in ((before, after), sources, flows):
        assert {name for name in names_not_read(type(one)) if getattr(one, name) == getattr(other, name)} == set()
    root.generate()
    assert read_processed(caplog) == 0
    made = outputs_of(root)
    root.generate(full=True)
    assert made == outputs_of(root)


def test_where_much_changed_the_run_is_a_full_one(root: DataRoot, caplog):
    runs(*(episode_run(f"new{n}", "biyo", run_id=100 + n) for n in range(12)))(root)
    check_full_run(root, caplog, "12 of 32 participant(s) changed")


def test_full_uses_nothing_that_was_kept(root: DataRoot, caplog):
    notes = root.path / "State" / "outputs"
    before = (root.outputs / "messages.csv").stat()
    caplog.clear()
    root.generate(full=True)
    assert "changed" not in caplog.text
    assert (root.outputs / "messages.csv").stat().st_mtime_ns > before.st_mtime_ns
    root.generate()
    assert read_processed(caplog) == 0
    assert {path.name for path in notes.parent.iterdir()} == {"analysis", "outputs", "project", "run_inputs"}


def test_code_of_the_projects_own_keeps_nothing(root: DataRoot, caplog):
    folder = root.configuration.parent

    def name_own_cleaner(plans: Document) -> None:
        plans["DemographicCodingPlans"][0]["CodingConfigurations"][0]["Cleaner"] = "our_cleaners:clean_gender"

    write_project(folder, change_plans=name_own_cleaner)
    for code in ("man", "woman"):
        (folder / "our_cleaners.py").write_text(f"def clean_gender(text):\n    return {code!r}\n")
        sys.modules.pop("project_code.our_cleaners", None)
        root.generate(allow_project_code=True)
        assert read_processed(caplog) == "the project has code of its own"
        runs(BIYO, survey_run("a", gender="nin"))(root)
    assert root.coda_file("gender")[0]["Labels"][0]["CodeID"] == "gender-woman"


def test_a_run_that_was_killed_before_its_notes_took_their_place_is_noticed(root: DataRoot, caplog, tmp_path: Path):
    notes = root.path / "State" / "outputs"
    old = tmp_path / "notes of the run before"
    for name in ("only Outputs/ was replaced", "State/analysis/ was replaced"):
        notes.rename(old)
        runs(BIYO, *ALONE, episode_run("b", name, run_id=80))(root)
        root.generate()
        # What is there after kill -9: all that is new, and the notes of the run before.
        notes.rename(notes.with_name("outputs.partial"))
        old.rename(notes)
        check_full_run(root, caplog, "Outputs/ or State/analysis/ is not as the last run left it")
        assert {path.name for path in notes.parent.iterdir()} == {"analysis", "outputs", "project", "run_inputs"}


def count_changes_until(root: DataRoot, moment: int | None) -> Ended:
    """Run the stage, to be killed before the change of the disk with that number, if there is one; to be called in a server."""
    command = [
        "generate-outputs", "--user", "tester@example.org", "--credentials", str(root.credentials),
        "--pipeline-configuration", str(root.configuration), "--data-root", str(root.path), "--jobs", "1",
    ]  # fmt: skip
    changes = Changes(root.path, moment)

    def watch() -> Changes:
        changes.watch()
        return changes

    return run_stage(command, watch)


def test_runs_killed_at_any_moment_change_nothing_that_a_later_run_leaves(roots, caplog):
    root, full = roots
    season = Season(7, participants=200)
    season.write(root)
    root.generate()
    count = in_server(count_changes_until, root, None).changes
    assert count > 30
    moments = range(1, count + 1, 4)
    counts = []
    for moment in moments:
        season.change()
        season.write(root)
        assert in_server(count_changes_until, root, moment).status == KILLED
        root.generate()
        counts.append(read_processed(caplog))
    # Killed after Outputs/ was replaced, the notes are of another one.
    assert sum(isinstance(count, int) for count in counts) > len(moments) // 2
    season.write(full)
    full.generate(full=True)
    assert outputs_of(root) == outputs_of(full)
