"""The command that checks a project: its data root, its exit statuses, what it tells of containers."""

import json
import os
from pathlib import Path

import pytest

from checked_project import CONFIGURATION, configuration, content, plans, scheme, write_small_project
from engagement.__main__ import main
from engagement.desk.container_plan import plan_container
from engagement.provenance import Metadata, encode_fresh_chain
from example_project import coda_message, label

METADATA = Metadata("tests", "2026-04-01T00:00:00.000000+00:00", "tester@example.org")


def run_line(flow: str, uid: str = "avf-phone-uuid-a", **answers: str | None) -> str:
    """A fetched run with results by category."""
    data = {"avf_phone_id": uid, "urn_type": "tel", f"run_id - {flow}": 1}
    for category, text in answers.items():
        for part, value in (("Text", text), ("Value", text), ("Time", "2026-04-01T10:00:00+03:00"), ("Run ID", 1)):
            data[f"{category} ({part}) - {flow}"] = value
    return encode_fresh_chain([(data, METADATA)]) + "\n"


def coded(scheme_id: str, code_id: str) -> dict:
    """A coder's label."""
    return {**label("gender", "man"), "SchemeID": scheme_id, "CodeID": code_id}


class Desk:
    """A small project and a data root, and the command as it is typed."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = write_small_project(folder / "project")
        self.data_root = folder / "data root"
        self.capsys = capsys
        (self.data_root / "Raw Data").mkdir(parents=True)
        self.write_flow("show", run_line("show", Answer="biyo"))
        survey = {"Gender": "man", "Age": "18", "Location": "jomvu"}
        self.write_flow("survey", run_line("survey", **survey), run_line("survey", **survey))

    def write_flow(self, flow: str, *lines: str) -> None:
        (self.data_root / "Raw Data" / f"{flow}.jsonl").write_text("".join(lines))

    def write_coded(self, dataset: str, *messages: dict) -> None:
        path = self.data_root / "Coded Coda Files" / f"{dataset}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(messages))

    def check(self, *options: str | Path) -> tuple[int, list[str]]:
        status = main(["check", str(self.path), *map(str, options)])
        captured = self.capsys.readouterr()
        self.errors = captured.err
        return status, captured.out.replace(f"{self.path.parent}/", "").splitlines()

    def compare(self) -> list[str]:
        """The warnings of a comparison with the data root."""
        before = {path: path.read_bytes() for path in self.data_root.rglob("*") if path.is_file()}
        status, lines = self.check("--data-root", self.data_root)
        assert status == 0
        assert {path: path.read_bytes() for path in self.data_root.rglob("*") if path.is_file()} == before
        return lines[:-1]


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def test_what_was_fetched_and_what_is_read_agree(desk: Desk):
    assert desk.compare() == []


def test_a_result_that_no_remapping_reads_is_a_warning_with_counts(desk: Desk):
    desk.write_flow(
        "show",
        run_line("show", Answer="biyo", Feedback="mahadsanid"),
        run_line("show", Answer="dugsi", Feedback=None),
        run_line("show", Answer="dugsi"),
    )
    assert desk.compare() == [
        "WARNING: pipeline_configuration.json, line 10, at $.RawDataSources[0].ActivationFlowNames[0]: no remapping reads the "
        "result 'Feedback', which 1 of 3 run(s) of flow 'show' answered; expected one. Add 'Feedback (Text) - show', or leave "
        "it be if nobody needs it."
    ]


def test_a_remapping_whose_key_no_run_has_is_a_warning_with_counts(desk: Desk):
    survey = {"Gender": "man", "Ages": "18", "Location": "jomvu"}
    desk.write_flow("survey", run_line("survey", **survey), run_line("survey", **survey))
    at = "WARNING: pipeline_configuration.json, line"
    assert desk.compare() == [
        f"{at} 13, at $.RawDataSources[0].SurveyFlowNames[0]: no remapping reads the result 'Ages', which 2 of 2 run(s) of flow "
        "'survey' answered; expected one. Add 'Ages (Text) - survey', or leave it be if nobody needs it.",
        f"{at} 51, at $.RapidProKeyRemappings[6].RapidProKey: none of 2 run(s) of flow 'survey' has 'Age (Text) - survey'; "
        "expected some; nearest: 'Ages'. Change it, unless nobody has come so far yet.",
        f"{at} 55, at $.RapidProKeyRemappings[7].RapidProKey: none of 2 run(s) of flow 'survey' has 'Age (Time) - survey'; "
        "expected some; nearest: 'Ages'. Change it, unless nobody has come so far yet.",
    ]


def test_test_participants_who_wrote_nothing_are_a_warning(desk: Desk):
    known, *others = (f"avf-phone-uuid-0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f1{n}" for n in range(3))
    configuration("$.TestParticipantUUIDs", [others[0], known, others[1]]).apply(desk.path.parent)
    desk.write_flow("show", run_line("show", known, Answer="biyo"))
    (line,) = desk.compare()
    assert line == (
        "WARNING: pipeline_configuration.json, line 72, at $.TestParticipantUUIDs: 2 of 3 test participants wrote nothing that was "
        f"fetched, so that nothing is left out for them: [0] '{others[0]}', [2] '{others[1]}'; expected ids of participants in Raw "
        "Data/. Compare with the column 'uid' of messages.csv, unless they have not written yet."
    )
    for flow in ("show", "survey"):
        desk.write_flow(flow)
    assert desk.compare() == []


def test_a_flow_without_runs_is_no_reason_to_warn_of_its_keys(desk: Desk):
    desk.write_flow("survey")
    assert desk.compare() == []


@pytest.mark.parametrize(
    ("texts", "category", "full_texts", "is_told"),
    [
        (["25"] * 20, "Number", False, True),
        (["25"] * 19, "Number", False, False),  # too few to tell
        (["25"] * 20 + ["25 jir"], "Number", False, False),  # one came whole, so that all do
        (["25"] * 20, "All Responses", False, False),  # no test of the flow's looked at them
        (["25"] * 20, "Number", True, False),
    ],
)
def test_answers_that_are_all_as_short_as_what_was_matched_suggest_full_texts(
    desk: Desk, texts: list[str], category: str, full_texts: bool, is_told: bool
):
    configuration("$.RawDataSources[0].FullTexts", full_texts).apply(desk.path.parent)
    lines = []
    for text in texts:
        (update,) = json.loads(run_line("survey", Gender="man", Age="25", Location="jomvu"))
        data = update["Data"] | {"Age (Text) - survey": text, "Age (Category) - survey": category}
        lines.append(encode_fresh_chain([(data, METADATA)]) + "\n")
    desk.write_flow("survey", *lines)
    told = [line for line in desk.compare() if "FullTexts" in line]
    assert told == (
        [
            "WARNING: pipeline_configuration.json, line 4, at $.RawDataSources[0]: none of 20 answers to tested questions has more "
            "than what was matched, in 'survey'; expected whole texts for coders. Add '\"FullTexts\": true', or leave it be if the "
            "parts are enough."
        ]
        if is_told
        else []
    )


def test_a_flow_that_was_not_fetched_is_a_warning(desk: Desk):
    (desk.data_root / "Raw Data" / "survey.jsonl").unlink()
    (line,) = desk.compare()
    assert "line 13, at $.RawDataSources[0].SurveyFlowNames[0]: flow 'survey' was not fetched yet" in line


def test_labels_that_their_scheme_lacks_are_a_warning_with_counts(desk: Desk):
    old = coded("Scheme-gender", "code-other")
    man = coded("Scheme-gender", "code-man")
    messages = {"a": [old], "b": [old, man], "c": [man]}
    desk.write_coded(
        "SMALL_gender", *({**coda_message(text, *given), "MessageID": text} for text, given in messages.items())
    )
    assert desk.compare() == [
        "WARNING: coding_plans.json, line 28, at $.DemographicCodingPlans[0].CodaFilename: dataset 'SMALL_gender': 2 message(s) "
        "have the label 'code-other', which scheme 'gender' (gender.json) lacks; expected codes of the scheme, as such answers "
        "count as not coded (NC). Put a code with this CodeID back into gender.json, or have them labelled again. Message ids: "
        "a, b."
    ]


def test_labels_of_a_scheme_that_changed_its_id_are_a_warning_with_what_it_was(desk: Desk):
    desk.write_coded("SMALL_gender", *(coda_message(text, coded("Scheme-gender", "code-man")) for text in "abcd"))
    scheme("gender", "$.SchemeID", "Scheme-sex").apply(desk.path.parent)
    (line,) = desk.compare()
    assert "dataset 'SMALL_gender': 4 message(s) are labelled under scheme 'Scheme-gender', which the dataset's" in line
    assert "Probably it is 'gender' (gender.json): it has 1 of the 1 code(s) in these labels." in line
    assert "If so, set SchemeID in gender.json back to 'Scheme-gender'." in line


def test_a_coded_file_of_a_renamed_dataset_is_a_warning_with_the_nearest_name(desk: Desk):
    man = coded("Scheme-gender", "code-man")
    desk.write_coded("SMALL_gender", coda_message("a", man), coda_message("b", man), coda_message("c"))
    plans("$.DemographicCodingPlans[0].CodaFilename", "SMALL_s01_gender.json").apply(desk.path.parent)
    (line,) = desk.compare()
    assert "coding_plans.json, line 1, at $: " in line
    assert (
        "Coded Coda Files/SMALL_gender.json: 2 of its 3 message(s) are labelled, but no plan has the CodaFilename"
        in line
    )
    assert "expected one, perhaps 'SMALL_s01_gender.json'." in line
    assert "give it its old CodaFilename back" in line


def test_damaged_raw_data_are_told_after_everything_else(desk: Desk):
    desk.write_flow("survey", "no JSON\n")
    configuration("$.CodaUsers", ["a@example.org", "a@example.org"]).apply(desk.path.parent)
    status, lines = desk.check("--data-root", desk.data_root)
    assert status == 11
    warning, not_checked = lines
    assert warning.startswith("WARNING: ")
    assert not_checked.startswith("FAILED: ")
    assert "survey.jsonl, line 1" in not_checked
    assert "0 error(s), 1 warning(s), 1 question(s) failed" in desk.errors


def test_warnings_are_told_beside_errors_where_the_files_can_be_read(desk: Desk):
    configuration("$.MoveWSMessages", False).apply(desk.path.parent)
    configuration("$.ProjectEndDate", "2025-01-01T00:00:00Z").apply(desk.path.parent)
    configuration("$.BucketDirPath", "2026/").apply(desk.path.parent)
    status, lines = desk.check()
    assert status == 10
    assert [line.partition(":")[0] for line in lines] == ["ERROR", "WARNING"]
    assert desk.errors.endswith("expected no error. Mend what is listed and check again.\n")


def test_that_warnings_are_still_to_come_is_said(desk: Desk):
    plans("$.RQACodingPlans", "none").apply(desk.path.parent)
    assert desk.check()[0] == 10
    assert desk.errors.endswith("Warnings follow once the files can be read.\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.json"], "missing.json: no such file; expected a pipeline configuration."),
        (["{path}", "--data-root", "missing"], "missing: no such directory; expected the data root."),
        (["{path}", "--online"], "check: --online without --credentials; expected both"),
        (
            ["{path}", "--online", "--credentials", "missing.json"],
            "missing.json: no such file; expected a credentials file.",
        ),
    ],
)
def test_wrong_usage_exits_2(desk: Desk, arguments: list[str], told: str):
    assert main(["check", *(argument.format(path=desk.path) for argument in arguments)]) == 2
    assert told in desk.capsys.readouterr().err


def test_code_of_the_project_s_own_is_read_and_not_run(desk: Desk):
    content("our_cleaners.py", b"raise SystemExit(99)\ndef clean_gender(text):\n    return None\n").apply(
        desk.path.parent
    )
    cleaner = "$.DemographicCodingPlans[0].CodingConfigurations[0].Cleaner"
    plans(cleaner, "our_cleaners:clean_gender").apply(desk.path.parent)
    assert desk.check() == (0, ["pipeline_configuration.json: 0 error(s), 0 warning(s)."])


def test_a_container_needs_no_network_for_the_files_alone(desk: Desk):
    assert plan_container("check", [str(desk.path)]) == ["network none"]


def test_a_container_of_a_broken_project_is_planned_so_that_the_check_can_tell(desk: Desk):
    desk.path.write_text("{")
    assert plan_container("check", [str(desk.path), "--online", "--credentials", "missing.json"]) == ["network none"]


def test_a_container_for_asking_sees_what_all_stages_see(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in os.environ if name.endswith("_EMULATOR_HOST")]:
        monkeypatch.delenv(name)
    keys = tmp_path / "embedded" / "storage" / "small-keys"
    keys.mkdir(parents=True)
    (keys / "firebase.json").write_text(json.dumps({"type": "embedded", "directory": "../../../uuids"}))
    for name in ("key", "coda"):
        directory = "embedded" if name == "key" else "coda"
        (tmp_path / f"{name}.json").write_text(json.dumps({"type": "embedded", "directory": directory}))
    options = [
        "--online",
        "--credentials",
        str(tmp_path / "key.json"),
        "--coda-pull-credentials",
        str(tmp_path / "coda.json"),
    ]
    lines = plan_container("check", [*options, str(desk.path)])
    assert lines[:4] == [
        f"mount rw {tmp_path}/coda", f"mount rw {tmp_path}/embedded", f"mount rw {tmp_path}/uuids", "network bridge",
    ]  # fmt: skip


def test_a_container_sees_coding_plans_that_lie_elsewhere(desk: Desk, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (desk.path.parent / "coding_plans.json").rename(elsewhere / "coding_plans.json")
    (desk.path.parent / "code_schemes").rename(elsewhere / "code_schemes")
    configuration("$.CodingPlansFile", "../elsewhere/coding_plans.json").apply(desk.path.parent)
    assert f"mount ro {elsewhere}" in plan_container("check", [str(desk.path)])
    assert desk.check()[0] == 0
    assert (desk.path.parent / CONFIGURATION).exists()
