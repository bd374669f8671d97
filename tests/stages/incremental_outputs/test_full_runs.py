"""When stage 3 keeps nothing of the last run: notes that are of no use, outputs that somebody changed, other settings."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engagement.configuration import load_project
from engagement.processing.reuse.note_files import VERSION
from engagement.processing.reuse.settings import names_not_read
from engagement.stages import generate_outputs
from example_project import SURVEY_FLOW, DataRoot, Document, episode_run, survey_run, write_project
from incremental_runs import ALONE, BIYO, outputs_of, read_processed, runs

STATE = {"analysis", "known_project", "outputs", "project", "run_inputs"}


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
    assert {path.name for path in notes.parent.iterdir()} == STATE


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
        assert {path.name for path in notes.parent.iterdir()} == STATE
