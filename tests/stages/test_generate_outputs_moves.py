"""Stage 3 on small invented data roots: answers that belong elsewhere, and people who withdrew."""

import pytest

from engagement.provenance import read_traced_data
from example_project import DataRoot, coda_message, episode_run, label, survey_run, uid_of, wrong_scheme


def test_an_answer_to_another_episode_moves_there_with_its_own_run_id_and_time(data_root: DataRoot):
    data_root.write_runs(
        episode_run("a", "rajo", 1, "2026-04-01T10:00:00+03:00", run_id=11),
        episode_run("a", "welwel", 2, "2026-04-08T10:00:00+03:00", run_id=12),
    )
    data_root.write_coded("s01e01", coda_message("rajo", *wrong_scheme("episode1", "episode_2")))
    data_root.generate()
    first, second = data_root.table("messages")
    assert (first["rqa_s01e01_raw"], first["rqa_s01e02_raw"], second["rqa_s01e02_raw"]) == ("", "rajo", "welwel")
    records = {
        r.values["rqa_s01e02_raw"]: r.values for r in read_traced_data(data_root.outputs / "messages_traced_data.jsonl")
    }
    assert records["rajo"]["rqa_s01e02_run_id"] == 11
    assert records["rajo"]["sent_on"] == "2026-04-01T10:00:00+03:00"
    assert "rqa_s01e01_run_id" not in records["rajo"]
    assert [m["Text"] for m in data_root.coda_file("s01e02")] == ["rajo", "welwel"]
    assert data_root.coda_file("s01e01") == []


def test_a_demographic_answer_sent_to_an_episode_reaches_all_messages_of_the_participant(data_root: DataRoot):
    data_root.write_runs(
        episode_run("a", "waxaan ahay nin", 1, run_id=11),
        episode_run("a", "biyo", 1, "2026-04-03T10:00:00+03:00", run_id=12),
        episode_run("b", "biyo", 1, run_id=13),
    )
    data_root.write_coded("s01e01", coda_message("waxaan ahay nin", *wrong_scheme("episode1", "gender")))
    data_root.write_coded("gender", coda_message("waxaan ahay nin", label("gender", "man")))
    data_root.generate()
    messages = {row["uid"]: row for row in data_root.table("messages")}
    assert len(data_root.table("messages")) == 2
    assert (messages[uid_of("a")]["gender"], messages[uid_of("a")]["gender_raw"]) == ("man", "waxaan ahay nin")
    assert messages[uid_of("b")]["gender"] == "NA"


def test_several_answers_in_one_survey_field_are_joined_own_answer_first(data_root: DataRoot):
    data_root.write_runs(
        episode_run("a", "naag", 1, "2026-04-05T10:00:00+03:00", run_id=11),
        episode_run("a", "gabar", 1, "2026-04-03T10:00:00+03:00", run_id=12),
        episode_run("a", "biyo", 1, run_id=13),
        survey_run("a", gender="22", age="dumar"),
    )
    texts = [coda_message(text, *wrong_scheme("episode1", "gender")) for text in ("naag", "gabar")]
    data_root.write_coded("s01e01", *texts)
    data_root.write_coded("age", coda_message("dumar", *wrong_scheme("age", "gender")))
    data_root.generate()
    (message,) = data_root.table("messages")
    assert message["gender_raw"] == "22; dumar; gabar; naag"
    assert message["age_raw"] == ""
    (record,) = read_traced_data(data_root.outputs / "messages_traced_data.jsonl")
    assert record.values["gender_raw_source"] == ["gender_raw", "age_raw", "rqa_s01e01_raw", "rqa_s01e01_raw"]
    assert record.values["gender_time"] == "2026-04-02T10:00:00+03:00"
    assert "age_time" not in record.values


def test_a_survey_answer_to_an_episode_becomes_one_message_without_a_run_id(data_root: DataRoot):
    data_root.write_runs(
        episode_run("a", "biyo", run_id=11, operator="hormud"),
        episode_run("a", "waddo", time="2026-04-09T10:00:00+03:00", run_id=12, operator="hormud"),
        survey_run("a", gender="rajo", age="20"),
        survey_run("only the survey", gender="rajo"),
    )
    data_root.write_coded("gender", coda_message("rajo", *wrong_scheme("gender", "episode_2")))
    data_root.generate()
    rows = data_root.table("messages")
    assert [row["rqa_s01e02_raw"] for row in rows] == ["", "rajo", ""]
    assert {row["uid"] for row in rows} == {uid_of("a")}
    assert [row["gender_raw"] for row in rows] == ["", "", ""]
    assert [row["operator"] for row in rows] == ["hormud"] * 3
    moved = next(
        r for r in read_traced_data(data_root.outputs / "messages_traced_data.jsonl") if "rqa_s01e02_raw" in r.values
    )
    assert moved.values["sent_on"] == "2026-04-02T10:00:00+03:00"
    assert "rqa_s01e02_run_id" not in moved.values
    assert "gender_time" not in moved.values


def test_an_answer_to_a_dataset_that_no_plan_has_is_left_out_and_counted(data_root: DataRoot, caplog):
    caplog.set_level("INFO")
    data_root.write_runs(episode_run("a", "roob"), episode_run("a", "biyo", run_id=2))
    data_root.write_coded("s01e01", coda_message("roob", *wrong_scheme("episode1", "elsewhere")))
    data_root.generate()
    assert [row["rqa_s01e01_raw"] for row in data_root.table("messages")] == ["biyo"]
    assert "1 answer(s) marked as wrong scheme belong to 'elsewhere'" in caplog.text
    assert "roob" not in caplog.text


def test_moves_are_made_once(data_root: DataRoot):
    data_root.write_runs(episode_run("a", "rajo"))
    data_root.write_coded("s01e01", coda_message("rajo", *wrong_scheme("episode1", "episode_2")))
    data_root.write_coded("s01e02", coda_message("rajo", *wrong_scheme("episode2", "episode_1")))
    data_root.generate()
    (message,) = data_root.table("messages")
    assert (message["rqa_s01e01_raw"], message["rqa_s01e02_raw"], message["rqa_s01e02_WS"]) == ("", "rajo", "1")


STOPPED = [
    # In the answer to an episode, in a survey, in a message that is out of the project's time, in one that moves away.
    ("s01e01", "ha i soo dirin", episode_run("a", "ha i soo dirin", run_id=2), label("episode1", "STOP")),
    ("gender", "jooji", survey_run("a", gender="jooji"), label("gender", "STOP")),
    (
        "s01e01",
        "jooji",
        episode_run("a", "jooji", time="2020-01-01T00:00:00+03:00", run_id=2),
        label("episode1", "STOP"),
    ),
    ("s01e01", "jooji", episode_run("a", "jooji", run_id=2), label("episode1", "STOP", copy="-2")),
    # In an earlier survey run whose answer was given anew.
    ("age", "jooji", survey_run("a", age="jooji") + survey_run("a", 101, age="20"), label("age", "STOP")),
]


@pytest.mark.parametrize(("dataset", "text", "lines", "stop"), STOPPED)
def test_stop_once_is_stop_everywhere(data_root: DataRoot, dataset: str, text: str, lines: str, stop: dict):
    more = [line + "\n" for line in lines.splitlines()]
    data_root.write_runs(episode_run("a", "biyo"), episode_run("b", "waddo"), *more)
    data_root.write_coded(dataset, coda_message(text, stop))
    data_root.generate()
    rows = data_root.table("messages")
    assert [row["uid"] for row in rows][0] == uid_of("b")
    assert all(set(row.values()) == {"STOP", "true"} and row["consent_withdrawn"] == "true" for row in rows[1:])
    assert len(rows) >= 2
    assert [row["uid"] for row in data_root.table("individuals")] == [uid_of("b"), "STOP"]
    assert [row["uid"] for row in data_root.table("production")] == [uid_of("b")]
    everything = b"".join(path.read_bytes() for path in data_root.outputs.rglob("*") if path.is_file())
    assert uid_of("a").encode() not in everything
    assert b"biyo" not in everything


def test_stop_of_somebody_else_stays_theirs(data_root: DataRoot):
    data_root.write_runs(episode_run("a", "biyo"), episode_run("b", "jooji"))
    data_root.write_coded("s01e01", coda_message("jooji", label("episode1", "STOP", checked=False)))
    data_root.generate()
    assert {row["consent_withdrawn"] for row in data_root.table("messages")} == {"false"}
