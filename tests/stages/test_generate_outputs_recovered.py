"""Recovered messages in stage 3: known ones count once, time ranges give the others to episodes, and nothing is lost unseen."""

import csv
import json
import logging
from pathlib import Path

import pytest

from engagement.__main__ import main
from engagement.provenance import encode_fresh_chain
from example_project import METADATA, DataRoot, Document, episode_run, survey_run, uid_of, write_project

APRIL = {"RangeStartInclusive": "2026-04-01T00:00:00+03:00", "RangeEndExclusive": "2026-04-07T24:00:00+03:00"}
MAY = {"RangeStartInclusive": "2026-05-01T00:00:00+03:00", "RangeEndExclusive": "2026-05-08T00:00:00+03:00"}
KEYS = {"Text": "message_gender", "Time": "received_on_gender", "RunID": "run_id_gender"}


def change(document: Document) -> None:
    """Two episodes by time for what one file holds, and another file with answers about gender."""
    document["RawDataSources"] += [
        {"SourceType": "RecoveryCSV", "ActivationFlowURLs": ["gs://recovered/lost.csv"]},
        {"SourceType": "RecoveryCSV", "SurveyFlowURLs": ["gs://recovered/gender.csv"], "Keys": KEYS},
    ]
    document["RapidProKeyRemappings"] += [
        {"RapidProKey": "message", "PipelineKey": "recovered_raw", "IsActivationMessage": True},
        {"RapidProKey": "received_on", "PipelineKey": "recovered_on"},
        {"RapidProKey": "run_id", "PipelineKey": "recovered_run_id"},
        {"RapidProKey": "message_gender", "PipelineKey": "gender_raw"},
        {"RapidProKey": "received_on_gender", "PipelineKey": "gender_time"},
    ]
    document["TimestampRemappings"] = [
        {"TimeKey": "received_on", "ShowPipelineKeyToRemapTo": f"rqa_s01e0{number}_raw", **span}
        for number, span in ((1, APRIL), (2, MAY))
    ]


def recovered(name: str, run_id: str, text: str, time: str, suffix: str = "") -> str:
    data = {
        "avf_phone_id": uid_of(name),
        f"message{suffix}": text,
        f"received_on{suffix}": time,
        f"run_id{suffix}": run_id,
    }
    return encode_fresh_chain([(data, METADATA)]) + "\n"


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", change))
    root.write_flow("lost")
    root.write_flow("gender")
    return root


def test_time_ranges_give_recovered_messages_to_episodes_and_count_the_others(root: DataRoot, caplog):
    caplog.set_level(logging.INFO)
    root.write_flow(
        "lost",
        recovered("a", "A", "biyo", "2026-04-01T00:00:00+03:00"),
        # 24:00 is not part of the range that it ends.
        recovered("a", "B", "cunto", "2026-04-08T00:00:00+03:00"),
        recovered("b", "C", "rajo", "2026-05-02T10:00:00+03:00"),
    )
    root.generate()
    rows = root.table("messages")
    assert [(row["uid"], row["rqa_s01e01_raw"], row["rqa_s01e02_raw"]) for row in rows] == [
        (uid_of("a"), "biyo", ""),
        (uid_of("b"), "", "rajo"),
    ]
    assert "Kept 2 of 3 message(s): 1 recovered and in no episode's time range" in caplog.text
    assert [row["rqa_s01e02_run_id"] for row in _read_icr(root, "s01e02.csv")] == ["C"]


def _read_icr(root: DataRoot, name: str) -> list[dict[str, str]]:
    with (root.outputs / "ICR" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_files_with_keys_of_their_own_answer_other_questions(root: DataRoot):
    root.write_flow("lost", recovered("a", "A", "biyo", "2026-04-02T10:00:00+03:00"))
    root.write_flow("gender", recovered("a", "G", "naag", "2026-04-03T10:00:00+03:00", "_gender"))
    root.generate()
    (row,) = root.table("messages")
    assert (row["rqa_s01e01_raw"], row["gender_raw"]) == ("biyo", "naag")


@pytest.mark.parametrize("first", [True, False])
def test_a_recovered_message_has_the_operator_of_the_participant_s_other_messages(root: DataRoot, first: bool):
    known, lost = "2026-04-02T10:00:00+03:00", "2026-04-03T10:00:00+03:00"
    root.write_runs(episode_run("a", "biyo", time=known if first else lost, operator="hormud"))
    root.write_flow(
        "lost",
        recovered("a", "A", "cusub", lost if first else known),
        # Nothing else is known of her.
        recovered("b", "B", "rajo", lost),
    )
    root.generate()
    assert sorted((row["rqa_s01e01_raw"], row["operator"]) for row in root.table("messages")) == [
        ("biyo", "hormud"),
        ("cusub", "hormud"),
        ("rajo", "NA"),
    ]
    assert {row["uid"]: row["operator"] for row in root.table("individuals")} == {
        uid_of("a"): "hormud",
        uid_of("b"): "NA",
    }


def test_what_rapid_pro_has_counts_once_and_explain_tells_of_it(root: DataRoot, caplog, capsys):
    caplog.set_level(logging.INFO)
    root.write_runs(
        episode_run("a", "biyo", time="2026-04-02T10:00:00+03:00", run_id=7),
        survey_run("a", time="2026-04-02T10:05:00+03:00", gender="naag"),
        episode_run("b", "rajo", time="2026-04-02T10:00:00+03:00", run_id=8),
    )
    root.write_flow(
        "lost",
        recovered("a", "A", "biyo", "2026-04-02T10:01:00+03:00"),
        recovered("a", "B", "naag", "2026-04-02T10:05:30+03:00"),
        recovered("a", "C", "cusub", "2026-04-02T10:09:00+03:00"),
    )
    root.generate()
    assert [row["rqa_s01e01_raw"] for row in root.table("messages")] == ["biyo", "rajo", "cusub"]
    assert "Kept 3 of 5 message(s): 2 recovered that were there already" in caplog.text
    arguments = ["explain", str(root.path), uid_of("a"), "rqa_s01e01_raw"]
    assert main([*arguments, "--pipeline-configuration", str(root.configuration)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "A recovery file holds this message too, as run A: it counts once, as RapidPro has it." in told
    assert told.count("recovery file holds") == 1


def test_a_run_with_nothing_new_and_a_full_one_make_the_same_of_recovered_messages(root: DataRoot, caplog):
    caplog.set_level(logging.INFO)
    known = [episode_run(f"p{number}", "biyo", time="2026-04-02T10:00:00+03:00") for number in range(20)]
    files = [recovered(f"p{number}", f"R{number}", "biyo", "2026-04-02T10:01:00+03:00") for number in range(20)]
    root.write_runs(*known)
    root.write_flow("lost", *files)
    root.generate()
    root.write_flow("lost", *files, recovered("p1", "late", "in no range", "2026-04-20T10:01:00+03:00"))
    caplog.clear()
    root.generate()
    said = "Kept 20 of 41 message(s): 1 recovered and in no episode's time range, 20 recovered that were there already"
    assert said in caplog.text
    assert "1 of 20 participant(s) changed" in caplog.text
    before = {path.name: path.read_bytes() for path in root.outputs.glob("*.csv")}
    root.generate(full=True)
    assert before == {path.name: path.read_bytes() for path in root.outputs.glob("*.csv")}


def test_messages_of_test_participants_are_left_out_whichever_way_they_came(root: DataRoot, caplog, capsys):
    caplog.set_level(logging.INFO)
    tester, other = (f"avf-{word}-uuid-0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f11" for word in ("phone", "facebook"))
    document = json.loads(root.configuration.read_text())
    document["TestParticipantUUIDs"] = [tester, other]
    root.configuration.write_text(json.dumps(document))
    root.write_runs(episode_run("a", "biyo"), episode_run(tester.removeprefix("avf-phone-uuid-"), "tijaabo"))
    data = {"avf_phone_id": other, "message": "tijaabo", "received_on": "2026-04-02T10:00:00+03:00", "run_id": "T"}
    root.write_flow("lost", encode_fresh_chain([(data, METADATA)]) + "\n")
    root.generate()
    assert [row["uid"] for row in root.table("messages")] == [uid_of("a")]
    assert "Kept 1 of 3 message(s): 2 of test contacts" in caplog.text
    arguments = ["explain", str(root.path), tester, "--pipeline-configuration", str(root.configuration)]
    assert main(arguments) == 2
    assert "is one of TestParticipantUUIDs" in capsys.readouterr().err
    assert "test participant" not in caplog.text
    document["FilterTestMessages"] = False
    root.configuration.write_text(json.dumps(document))
    root.generate()
    assert len(root.table("messages")) == 3


def test_test_participants_whom_no_run_is_of_are_a_warning_every_night(root: DataRoot, caplog):
    tester, unknown = (f"avf-phone-uuid-0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f1{n}" for n in range(2))
    document = json.loads(root.configuration.read_text())
    document["TestParticipantUUIDs"] = [tester, unknown, "avf-phone-uuid-amina"]
    root.configuration.write_text(json.dumps(document))
    root.write_runs(episode_run("a", "biyo"), episode_run(tester.removeprefix("avf-phone-uuid-"), "tijaabo"))
    for _ in range(2):
        root.generate()
        (said,) = [
            r.getMessage() for r in caplog.records if r.levelno == logging.WARNING and "Participant" in r.getMessage()
        ]
        caplog.clear()
        assert (
            f"2 of 3 test participants wrote nothing that was fetched, so that nothing is left out for them: [1] '{unknown}', [2];"
            in said
        )
        assert "amina" not in said
