"""What `explain` tells of answers that moved, met or were folded, and what it does not print."""

import json
import re
from pathlib import Path

import pytest

from example_project import DataRoot, Document, coda_message, episode_run, label, survey_run, write_project
from explained_project import Desk, move


def test_a_survey_answer_that_moved_is_told_at_both_ends(desk: Desk):
    desk.root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="22", run_id=9))
    desk.root.write_coded("gender", move("22", "gender", "age"))
    desk.root.write_coded("age", coda_message("22", label("age", "22")))
    desk.root.generate()
    left = desk.explain("a", "gender")
    assert re.search("wrote “22” here, but in EXAMPLE_gender Hodan .* labelled it 'WS' .* Ali .* named 'age'", left)
    assert "moved it from here to 'age_raw'" in left
    assert "=> gender: NA" in left
    arrived = desk.explain("a", "age")
    assert "in flow 's01_demographics', result 'Gender', run 9" in arrived
    assert "moved it from there to 'age_raw'" in arrived
    assert "labelled it '22'" in arrived
    (step,) = [s for s in desk.steps("a", "age") if s["step"] == "wrong-scheme move to here"]
    assert (step["from"], step["to"], step["origin"]["run_id"]) == ("gender_raw", "age_raw", "9")
    assert step["wrong_scheme_label"]["Origin"]["Name"] == "Hodan"
    assert step["correct_dataset_label"]["Origin"]["Name"] == "Ali"


def test_answers_that_met_are_told_one_by_one(desk: Desk):
    desk.root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="22", age="22 jir", run_id=9))
    desk.root.write_coded("gender", move("22", "gender", "age"))
    desk.root.generate()
    told = desk.explain("a", "age_raw")
    assert "“22 jir” on 2026-04-02 07:00:00 UTC, in flow 's01_demographics', result 'Age', run 9" in told
    assert "“22” on 2026-04-02 07:00:00 UTC, in flow 's01_demographics', result 'Gender', run 9" in told
    assert "2 answers met in 'age_raw' and were joined with '; ': “22 jir; 22”" in told


def test_an_answer_to_an_episode_that_moved_to_another_keeps_its_run(desk: Desk):
    desk.root.write_runs(episode_run("a", "rajo", 1, run_id=7))
    desk.root.write_coded("s01e01", move("rajo", "episode1", "episode_2"))
    desk.root.write_coded("s01e02", coda_message("rajo", label("episode2", "hope")))
    desk.root.generate()
    told = desk.explain("a", "rqa_s01e02_hope")
    assert "result 'Rqa_S01E01_Raw', run 7" in told
    assert "moved it from there to 'rqa_s01e02_raw'" in told
    assert "moved it from here to 'rqa_s01e02_raw'" in desk.explain("a", "rqa_s01e01_raw")


def test_where_the_traced_data_does_not_tell_the_run_that_is_said(desk: Desk):
    desk.root.write_runs(episode_run("a", "naag"), episode_run("a", "rajo", 2, time="2026-04-03T10:00:00+03:00"))
    desk.root.write_coded("s01e01", move("naag", "episode1", "gender"))
    desk.root.generate()
    told = desk.explain("a", "gender")
    assert "wrote “naag”. Its run is not in the traced data" in told
    assert "moved it from there to 'gender_raw'" in told


def test_a_survey_answer_that_became_a_message_is_told_with_the_survey_run(desk: Desk):
    desk.root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="rajo", run_id=9))
    desk.root.write_coded("gender", move("rajo", "gender", "episode_2"))
    desk.root.generate()
    told = desk.explain("a", "rqa_s01e02_raw")
    assert "in flow 's01_demographics', result 'Gender', run 9" in told
    assert "That was an answer to 'gender_raw'" in told


def test_the_text_of_an_answer_that_is_in_no_csv_is_not_printed(desk: Desk):
    desk.root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="qof gaar ah"))
    desk.root.write_coded("gender", move("qof gaar ah", "gender", "elsewhere"))
    desk.root.generate()
    told = desk.explain("a", "gender")
    assert "qof gaar ah" not in told
    assert "a text that is in no CSV (message id " in told
    assert "took it away from here" in told
    assert "qof gaar ah" not in json.dumps(desk.document("a"))


def test_phone_numbers_and_what_a_terminal_would_act_upon_are_not_printed(desk: Desk):
    text = "wac 0615000001 \x1b[2J"
    desk.root.write_runs(episode_run("a", text))
    desk.root.generate()
    for told in (desk.explain("a"), desk.explain("a", "rqa_s01e01_raw"), json.dumps(desk.document("a"))):
        assert "0615000001" not in told
        assert "\x1b" not in told
        assert "[phone number]" in told


def test_a_time_range_that_gave_an_answer_to_another_episode_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    def remap(configuration: Document) -> None:
        configuration["TimestampRemappings"] = [
            {
                "TimeKey": "sent_on",
                "ShowPipelineKeyToRemapTo": "rqa_s01e02_raw",
                "RangeStartInclusive": "2026-04-01T00:00:00+03:00",
                "RangeEndExclusive": "2026-04-02T00:00:00+03:00",
            }
        ]

    desk = Desk(DataRoot(tmp_path, write_project(tmp_path / "configuration", change_configuration=remap)), capsys)
    desk.root.write_runs(episode_run("a", "rajo", 1, run_id=7))
    desk.root.generate()
    told = desk.explain("a", "rqa_s01e02_raw")
    assert "result 'Rqa_S01E01_Raw', run 7" in told
    assert "answers 'rqa_s01e01_raw' by its flow, but was sent in a range of TimestampRemappings" in told


def test_folding_says_what_each_message_has(desk: Desk):
    desk.root.write_runs(
        episode_run("a", "biyo"),
        episode_run("a", "dugsi", time="2026-04-03T10:00:00+03:00"),
        episode_run("a", "rajo", 2),
    )
    messages = [coda_message("biyo", label("episode1", "water")), coda_message("dugsi", label("episode1", "school"))]
    desk.root.write_coded("s01e01", *messages)
    desk.root.generate()
    told = desk.explain("a", "rqa_s01e01_water")
    assert "message 1 has 'water'; message 2 has 'NA' (no answer); message 3 has 'school'" in told
    assert "that makes 'water' and 'school'" in told
    texts = desk.explain("a", "rqa_s01e01_raw")
    assert "message 1 has “biyo”; message 2 has no answer; message 3 has “dugsi”" in texts
    assert "that makes “biyo;dugsi”" in texts


def test_what_a_spreadsheet_would_run_is_told_to_be_guarded(desk: Desk):
    desk.root.write_runs(episode_run("a", "=1+1"))
    desk.root.generate()
    told = desk.explain("a", "rqa_s01e01_raw")
    assert "In production.csv an apostrophe precedes it" in told
    assert desk.root.table("production")[0]["rqa_s01e01_raw"] == "'=1+1"


def test_with_guard_formulas_every_csv_is_told_to_be_guarded(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    configuration = write_project(tmp_path / "guarded", lambda document: document.update(GuardFormulas=True))
    desk = Desk(DataRoot(tmp_path, configuration), capsys)
    desk.root.write_runs(episode_run("a", "=1+1"))
    desk.root.generate()
    assert "In every CSV an apostrophe precedes it" in desk.explain("a", "rqa_s01e01_raw")
