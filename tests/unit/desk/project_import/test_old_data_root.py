"""An old data root is taken over whole, verified and without phone numbers, or not at all."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engagement.configuration import Project, load_project
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.old_data.data_root_notes import note_taken_data
from engagement.desk.project_import.old_data.old_data_root import refuse_places, take_over_data_root
from engagement.desk.project_import.old_data.old_phone_numbers import NumberKind, read_clean_run
from engagement.foundation.errors import InputError, UsageError
from engagement.provenance import Metadata, TracedData, decode, read_traced_data
from example_project import EPISODE_FLOW, DataRoot, coda_message, episode_run, label, survey_run, uid_of, write_project

FLOW = EPISODE_FLOW.format(1)
NUMBER = "252615000001"


def old_line(*updates: dict[str, Any], nested: dict[str, Any] | None = None) -> str:
    """A line as the earlier pipelines wrote it: times in seconds, separators of their own, updates oldest first here."""
    sha, encoded = "", []
    for number, data in enumerate(updates):
        joined = nested if nested is not None and number == 0 else {}
        shas = {key: inner[0]["SHA"] for key, inner in joined.items()}
        text = json.dumps({"data": {**data, **shas}, "prev_sha": sha}, sort_keys=True)
        sha = hashlib.sha256(text.encode()).hexdigest()
        metadata = {"User": "owner", "Source": "call_log.py:12", "Timestamp": 1561003200.5 + number}
        encoded.insert(0, {"SHA": sha, "Metadata": metadata, "Data": data, "NestedTracedData": joined})
    return json.dumps(encoded, separators=(",", ":"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return load_project(write_project(tmp_path / "new project"))


@pytest.fixture
def old(tmp_path: Path) -> DataRoot:
    root = DataRoot(tmp_path / "old")
    root.write_runs(
        episode_run("a", "biyo"), episode_run("b", "dugsi", run_id=2), survey_run("a", gender="rag", age="25")
    )
    return root


def listing_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def datasets_of(project: Project) -> list[str]:
    return [plan.coda_dataset for plan in project.coding_plans.all if plan.coda_dataset is not None]


def take(old: DataRoot, new: Path, project: Project) -> Migration:
    migration = Migration()
    configuration = project.configuration
    with take_over_data_root(old.path, new, configuration, datasets_of(project), {}) as taken:
        note_taken_data(taken, new, configuration, migration)
    return migration


def test_runs_and_labels_come_over_and_the_old_root_stays(tmp_path: Path, old: DataRoot, project: Project):
    old.write_coded("gender", coda_message("rag", label("gender", "man")))
    (old.path / "Coded Coda Files" / "EXAMPLE_gender.json").rename(old.path / "Coded Coda Files" / "gender.json")
    before, new = listing_of(old.path), tmp_path / "new root"
    migration = take(old, new, project)
    assert listing_of(old.path) == before
    for name in (FLOW, EPISODE_FLOW.format(2), "s01_demographics"):
        assert (new / "Raw Data" / f"{name}.jsonl").read_bytes() == (
            old.path / "Raw Data" / f"{name}.jsonl"
        ).read_bytes()
    assert json.loads((new / "Coded Coda Files" / "EXAMPLE_gender.json").read_text())[0]["Text"] == "rag"
    assert "3 runs of 3 flows and 2 participants verified" in migration.lines("Done")[0]
    assert "`gender.json`: taken over as `EXAMPLE_gender.json`, as the dataset is called in Coda." in migration.lines(
        "Changed"
    )


def test_stage_3_runs_on_what_was_taken_over(tmp_path: Path, old: DataRoot, project: Project):
    parts = {"Text": "dugsi", "Time": "2026-04-03T10:00:00+03:00", "Run ID": 7}
    data = {
        "avf_phone_id": uid_of("c"),
        **{f"Rqa_S01E01_Raw ({part}) - {FLOW}": value for part, value in parts.items()},
    }
    # The last line of an old file may lack its line end.
    old.write_flow(FLOW, episode_run("a", "biyo"), old_line({"avf_phone_id": uid_of("c"), "urn_type": "tel"}, data))
    root = DataRoot(tmp_path, project.path)
    new = tmp_path / "taken"
    take(old, new, project)
    root.path = new
    root.generate()
    assert sorted(row["rqa_s01e01_raw"] for row in root.table("messages")) == ["biyo", "dugsi"]


def test_a_changed_line_is_refused_and_nothing_is_left_behind(tmp_path: Path, old: DataRoot, project: Project):
    changed = episode_run("a", "my secret").replace("my secret", "my lie")
    old.write_flow(FLOW, episode_run("b", "biyo"), changed)
    old.write_flow("s01_demographics", "not JSON\n")
    with pytest.raises(InputError) as raised:
        take(old, tmp_path / "new root", project)
    text = str(raised.value)
    assert f"{FLOW}.jsonl, line 2: update 1 of 1" in text
    assert "s01_demographics.jsonl, line 1: not JSON" in text
    assert "Nothing was taken over" in text
    assert "my lie" not in text
    assert [path.name for path in tmp_path.iterdir()] == [
        path for path in ("old", "new project") if (tmp_path / path).exists()
    ] or not (list(tmp_path.glob("new root*")))


def test_a_failure_after_the_copy_leaves_nothing_behind(tmp_path: Path, old: DataRoot, project: Project):
    with pytest.raises(RuntimeError), take_over_data_root(old.path, tmp_path / "root", project.configuration, [], {}):
        raise RuntimeError
    assert list(tmp_path.glob("root*")) == []


@pytest.mark.parametrize("participant", [NUMBER, f"tel:+{NUMBER}", f"avf-phone-uuid-{NUMBER}", "+252 61 5000001"])
def test_a_participant_that_is_a_phone_number_is_refused_unseen(
    tmp_path: Path, old: DataRoot, project: Project, participant: str
):
    old.write_flow(FLOW, old_line({"avf_phone_id": participant}) + "\n")
    with pytest.raises(InputError, match="line 1: its 'avf_phone_id'") as raised:
        take(old, tmp_path / "root", project)
    assert "5000001" not in str(raised.value)
    assert list(tmp_path.glob("root*")) == []


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"contact": f"tel:+{NUMBER}"}, NumberKind.URN),
        ({"Voices (Text) - f": f"TEL:+{NUMBER}"}, NumberKind.URN),  # a flow saved the contact's URN as a result
        ({"urns": [f"whatsapp:{NUMBER}"]}, NumberKind.URN),
        ({"contact": {"urn": f"tel:{NUMBER}?x=1"}}, NumberKind.URN),
        ({"avf-phone-uuid": NUMBER}, NumberKind.FIELD),
        ({"phone_number": int(NUMBER)}, NumberKind.FIELD),
        ({"Sender": f"+{NUMBER}"}, NumberKind.FIELD),
        ({"avf_phone_id": NUMBER}, NumberKind.FIELD),  # hidden by the newer update, but still in the line
        ({"avf_phone_id": int(NUMBER)}, NumberKind.FIELD),
        # What no stage reads, whatever its name
        ({"telephone": f"+{NUMBER}"}, NumberKind.OTHER),
        ({"From": NUMBER}, NumberKind.OTHER),
        ({"contact_name": f"+{NUMBER[:3]} 61 500 0001 / +{NUMBER}"}, NumberKind.OTHER),
        ({"urns": [{"scheme": "tel", "path": NUMBER}]}, NumberKind.FIELD),
        ({"contact": {NUMBER: "x"}}, NumberKind.OTHER),
        ({"x": f"viber:{NUMBER}"}, NumberKind.OTHER),
        ({"Voices (Name) - f": NUMBER}, NumberKind.OTHER),
        # Numbers as names
        ({f"+{NUMBER}": "x"}, NumberKind.NAME),
        ({f"tel:+{NUMBER} (Text) - f": "x"}, NumberKind.NAME),
    ],
)
def test_numbers_are_left_out_and_counted_by_kind(data: dict[str, Any], kind: NumberKind):
    masked: Counter[NumberKind] = Counter()
    line = old_line(data, {"avf_phone_id": uid_of("a"), "text": "biyo"})
    clean, participant = read_clean_run(line.encode(), "avf-phone-uuid-", masked)
    assert NUMBER.encode() not in clean
    assert masked == {kind: 1}
    assert participant == uid_of("a")
    record = decode(clean)  # its hashes are right
    assert record.values == {"avf_phone_id": uid_of("a"), "text": "biyo"}
    assert [change.metadata.timestamp for _, change in record.history()][-1] == 1561003201.5


@pytest.mark.parametrize(
    "data",
    [
        {"Voices (Text) - f": NUMBER},  # what people write stays
        {"Voices (Text) - f": f"call me: tel:+{NUMBER} please"},
        {"avf-phone-uuid": uid_of("0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f11")},
        {"urn_type": "tel", "operator_raw": "25261"},
        {"contact": "tel:********"},
        {"run_id - f": 412345678, "Voices (Run ID) - f": 412345678},
        {"run_created_on - f": "2020-01-01T00:00:00.123456789Z", "Voices (Time) - f": "2020-01-01T00:00:00.123456789Z"},
        {"message": NUMBER, "received_on": "20200101000000", "run_id": "412345678"},
        {"answer": NUMBER},  # the configuration maps it
        {"avf_phone_id": None},
    ],
)
def test_what_is_no_contacts_number_stays_byte_for_byte(data: dict[str, Any]):
    masked: Counter[NumberKind] = Counter()
    line = old_line(data, {"avf_phone_id": uid_of("a")}).encode() + b"\n"
    assert read_clean_run(line, "avf-phone-uuid-", masked, {"answer"})[0] == line
    assert not masked


def test_a_number_that_made_an_update_is_left_out():
    record = TracedData()
    record.append({"avf_phone_id": uid_of("a")}, Metadata(f"tel:+{NUMBER}", "2020-01-01T00:00:00Z", NUMBER))
    masked: Counter[NumberKind] = Counter()
    clean, _ = read_clean_run(record.encode_line(), "avf-phone-uuid-", masked)
    assert NUMBER.encode() not in clean
    assert decode(clean).values == {"avf_phone_id": uid_of("a")}
    assert masked == {NumberKind.AUTHOR: 1}


def test_a_nested_record_under_a_number_is_left_out():
    masked: Counter[NumberKind] = Counter()
    line = old_line({"avf_phone_id": uid_of("a")}, nested={NUMBER: json.loads(old_line({"age": "25"}))})
    clean, _ = read_clean_run(line.encode(), "avf-phone-uuid-", masked)
    assert NUMBER.encode() not in clean
    assert masked == {NumberKind.NAME: 1}


def test_a_changed_line_with_a_number_as_a_name_is_refused_unseen(tmp_path: Path, old: DataRoot, project: Project):
    line = old_line({"avf_phone_id": uid_of("a"), f"+{NUMBER}": "x"})
    old.write_flow(FLOW, line.replace('"SHA":"', '"SHA":"0') + "\n")
    with pytest.raises(InputError, match="its SHA is") as raised:
        take(old, tmp_path / "root", project)
    assert NUMBER not in str(raised.value)
    assert "avf_phone_id" in str(raised.value)


@pytest.mark.parametrize("around", ["%s\n", "[%s]\n"])
def test_files_of_2018_are_refused_by_the_name_of_their_format(
    tmp_path: Path, old: DataRoot, project: Project, around: str
):
    old.write_flow(FLOW, around % '{"py/object": "some.TracedData", "_data": {"avf_phone_id": "x"}, "_prev": null}')
    with pytest.raises(InputError, match="line 1: written with jsonpickle, as in 2018"):
        take(old, tmp_path / "root", project)
    old.write_flow(FLOW, episode_run("a", "biyo"))
    (old.path / "Raw Data" / "s01e1.json").write_text("[]")
    dropped = "\n".join(take(old, tmp_path / "root", project).lines("Dropped"))
    assert "1 file not taken over: files of the first pipelines (.json, written with jsonpickle)" in dropped


def test_numbers_in_nested_records_are_left_out():
    inner = json.loads(old_line({"urn": f"tel:+{NUMBER}", "age": "25"}))
    masked: Counter[NumberKind] = Counter()
    line = old_line({"avf_phone_id": uid_of("a")}, nested={"survey": inner})
    clean, _ = read_clean_run(line.encode(), "avf-phone-uuid-", masked)
    assert NUMBER.encode() not in clean
    assert decode(clean).values == {"avf_phone_id": uid_of("a"), "age": "25"}
    assert masked == {NumberKind.URN: 1}


def test_what_stays_behind_is_told_by_kind_and_never_copied(tmp_path: Path, old: DataRoot, project: Project):
    raw = old.path / "Raw Data"
    (raw / f"{FLOW}_log.jsonl").write_text(f'{{"urn": "tel:+{NUMBER}"}}\n')
    (raw / "example_contacts.jsonl").write_text(f"tel:+{NUMBER}\n")
    (raw / "listeners.csv").write_text(f"avf-phone-uuid\n{NUMBER}\n")
    (raw / f"{NUMBER}.csv").write_text("")
    (raw / "other_season.jsonl").write_text("")
    old.write_flow(FLOW, old_line({"contact": f"tel:+{NUMBER}"}, {"avf_phone_id": uid_of("a")}))
    new = tmp_path / "root"
    migration = take(old, new, project)
    dropped = "\n".join(migration.lines("Dropped"))
    for said in (
        "1 value with a phone number: URN (like tel:…)",
        f"logs of raw exports, which hold phone numbers (`{FLOW}_log.jsonl`)",
        "contacts, which hold phone numbers",
        "2 files not taken over: tables",
        "does not name (`other_season.jsonl`)",
    ):
        assert said in dropped
    assert NUMBER not in migration.as_markdown()
    assert not [path for path in new.rglob("*") if path.is_file() and NUMBER.encode() in path.read_bytes()]
    assert sorted(path.name for path in (new / "Raw Data").iterdir()) == [
        "manifest.json", "s01_demographics.jsonl", "s01e1_activation.jsonl", "s01e2_activation.jsonl",
    ]  # fmt: skip


def test_flows_without_a_file_and_another_beginning_of_ids_are_to_decide(
    tmp_path: Path, old: DataRoot, project: Project
):
    (old.path / "Raw Data" / "s01_demographics.jsonl").unlink()
    old.write_flow(FLOW, old_line({"avf_phone_id": "avf-participant-uuid-0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f11"}))
    lines = "\n".join(take(old, tmp_path / "root", project).lines("To decide"))
    assert "no runs of `s01_demographics`" in lines
    assert "ids of 1 participant begin with 'avf-participant-uuid-'" in lines


def test_segments_of_a_dataset_become_one_file(tmp_path: Path, old: DataRoot, project: Project):
    old.write_coded("gender", coda_message("rag", label("gender", "man")))
    old.write_coded("gender_2", coda_message("naag", label("gender", "woman")))
    take(old, tmp_path / "root", project)
    path = tmp_path / "root" / "Coded Coda Files" / "EXAMPLE_gender.json"
    assert [message["Text"] for message in json.loads(path.read_text())] == ["rag", "naag"]


def test_wrong_places_are_refused_before_anything_is_read(tmp_path: Path, old: DataRoot):
    configuration = tmp_path / "old project"
    (tmp_path / "there").mkdir()
    for new, said in (
        (tmp_path / "there", "it exists"),
        (old.path / "new", "is in the other"),
        (configuration / "data", "is in the other"),
        (tmp_path / "outer", "is in the other"),  # would replace the project in it
    ):
        with pytest.raises(UsageError, match=said):
            refuse_places(old.path, new, [configuration, tmp_path / "outer" / "project"])
    with pytest.raises(UsageError, match="no folder 'Raw Data'"):
        refuse_places(tmp_path / "there", tmp_path / "new", [])
    refuse_places(old.path, tmp_path / "new", [configuration])


def test_a_data_root_of_another_project_is_refused(tmp_path: Path, old: DataRoot, project: Project):
    for path in (old.path / "Raw Data").iterdir():
        path.rename(path.with_name(f"other_{path.name}"))
    with pytest.raises(InputError, match="no file of any of the project's 3 flows"):
        take(old, tmp_path / "root", project)


def test_every_line_that_was_taken_over_verifies(tmp_path: Path, old: DataRoot, project: Project):
    old.write_flow(FLOW, *(episode_run(f"p{number}", "biyo", urn=f"tel:+{NUMBER}") for number in range(50)))
    take(old, tmp_path / "root", project)
    assert len(list(read_traced_data(tmp_path / "root" / "Raw Data" / f"{FLOW}.jsonl"))) == 50


def test_numbers_beside_the_text_of_a_coda_message_are_left_out(tmp_path: Path, old: DataRoot, project: Project):
    message = coda_message(f"call {NUMBER}", label("gender", "man"))
    old.write_coded("gender", {**message, "Sender": f"+{NUMBER}", "From": {"urn": f"tel:{NUMBER}"}, "Note": "kept"})
    migration = take(old, tmp_path / "root", project)
    path = tmp_path / "root" / "Coded Coda Files" / "EXAMPLE_gender.json"
    # What somebody wrote stays as it was.
    assert json.loads(path.read_text()) == [{**message, "Note": "kept"}]
    (line,) = [line for line in migration.lines("Dropped") if line.startswith("`Coded Coda Files`")]
    assert "2 values with a phone number: field of a message in a Coda file" in line
    assert "hashes" not in line
