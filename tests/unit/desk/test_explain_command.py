"""What `explain` tells of cells that stage 3 really made."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engagement.__main__ import main
from engagement.configuration import load_project
from engagement.configuration.kept_project import keep_project
from engagement.desk.explanations.story import tell_story
from example_project import (
    DataRoot,
    Document,
    coda_message,
    episode_run,
    label,
    make_coding_plans,
    survey_run,
    uid_of,
    write_project,
)


class Desk:
    """An operator in front of a data root."""

    def __init__(self, root: DataRoot, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys

    def explain(self, name: str, *arguments: str, status: int = 0, is_whole: bool = False) -> str:
        """What is printed, with each run of white space as one space; the error's text for another status.

        `name` is a participant of the examples, or with `is_whole` what is typed as the uid.
        """
        configuration = ["--pipeline-configuration", str(self.root.configuration)]
        uid = name if is_whole else uid_of(name)
        found = main(["explain", str(self.root.path), uid, *arguments, *configuration])
        printed = self._capsys.readouterr()
        assert found == status, printed.err
        return " ".join((printed.err if status else printed.out).split())

    def steps(self, name: str, column: str) -> list[Document]:
        """All steps of a column as JSON."""
        document = self.document(name, column)
        return [step for section in document["sections"] for step in section["steps"]]

    def document(self, name: str, *arguments: str) -> Document:
        """What is printed as JSON."""
        configuration = ["--pipeline-configuration", str(self.root.configuration), "--json"]
        assert main(["explain", str(self.root.path), uid_of(name), *arguments, *configuration]) == 0
        return json.loads(self._capsys.readouterr().out)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(DataRoot(tmp_path), capsys)


def by(name: str, given: Document, time: str = "2026-04-06T09:30:00+00:00") -> Document:
    """A label that somebody made at a time."""
    origin = {"OriginID": f"{name.lower()}@example.org", "Name": name, "OriginType": "Manual"}
    return {**given, "Origin": origin, "DateTimeUTC": time}


def test_a_coded_answer_is_told_from_its_run_to_the_folded_cell(desk: Desk):
    desk.root.write_runs(
        episode_run("a", "biyo", run_id=7),
        episode_run("a", "rajo", 2, time="2026-04-03T10:00:00+03:00", run_id=8),
        survey_run("a", gender="naag", run_id=9),
    )
    desk.root.write_coded("gender", coda_message("naag", by("Hodan", label("gender", "woman"))))
    desk.root.generate()
    told = desk.explain("a", "gender")
    assert "“naag” on 2026-04-02 07:00:00 UTC, in flow 's01_demographics', result 'Gender', run 9" in told
    assert "fetched on 2026-04-01 00:00:00 UTC by tester@example.org" in told
    assert "dataset EXAMPLE_gender is 6c22baffb9ae2eb3f1bd8ab14e4d4c3" not in told
    assert "Cleaner 'somali.gender' reads it as 'woman'" in told
    assert "In EXAMPLE_gender, Hodan (hodan@example.org) on 2026-04-06 09:30:00 UTC labelled it 'woman'" in told
    assert "all 2 messages have 'woman'" in told
    assert "'assert_label_ids_equal'" in told
    assert told.count("=> gender: woman") == 2


def test_the_message_id_is_the_one_in_coda(desk: Desk):
    desk.root.write_runs(episode_run("a", "biyo"))
    desk.root.generate()
    (message,) = desk.root.coda_file("s01e01")
    assert f"dataset EXAMPLE_s01e01 is {message['MessageID']}" in desk.explain("a", "rqa_s01e01_raw")


def test_a_cell_of_a_matrix_says_which_codes_there_are(desk: Desk):
    desk.root.write_runs(episode_run("a", "biyo iyo waddo"))
    labels = [by("Hodan", label("episode1", "water")), by("Ali", label("episode1", "roads", copy="-1"))]
    desk.root.write_coded("s01e01", coda_message("biyo iyo waddo", *labels))
    desk.root.generate()
    told = desk.explain("a", "rqa_s01e01_water")
    assert "Hodan (hodan@example.org) on 2026-04-06 09:30:00 UTC labelled it 'water'" in told
    assert "Ali (ali@example.org) on 2026-04-06 09:30:00 UTC labelled it 'roads'" in told
    assert "'water' is among the codes, and it is: 1." in told
    assert "'school' is among the codes, and it is not: 0." in desk.explain("a", "rqa_s01e01_school")


# What is in Coda of an answer that nobody's label counts for, and what is said of it.
UNLABELLED = [
    (None, "not in Coda yet"),
    ([], "No coder has labelled the answer yet"),
    ([by("Hodan", label("gender", "woman", checked=False))], "Hodan .* did not tick the label"),
    ([by("Ali", label("gender", "SPECIAL-MANUALLY_UNCODED"))], "Ali .* took its label off again"),
    (
        [{**by("Ali", label("gender", "woman")), "SchemeID": "Scheme-old"}],
        "Ali .* labelled it under scheme 'Scheme-old', which",
    ),
]


@pytest.mark.parametrize(("labels", "said"), UNLABELLED)
def test_an_answer_without_a_label_says_why(desk: Desk, labels: list[Document] | None, said: str):
    desk.root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="naag"))
    desk.root.write_coded("gender", *([] if labels is None else [coda_message("naag", *labels)]))
    desk.root.generate()
    assert re.search(f"{said}.*: 'NR' \\(not reviewed by a coder yet\\)", desk.explain("a", "gender"))


def test_labels_that_were_made_since_are_told_apart_from_those_that_count(desk: Desk):
    desk.root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="naag"))
    desk.root.generate()
    desk.root.write_coded("gender", coda_message("naag", label("gender", "woman")))
    assert "No coder had labelled the answer when Outputs were made. One has since" in desk.explain("a", "gender")
    desk.root.generate()
    newer = [by("Ali", label("gender", "man"), "2026-05-01T00:00:00+00:00"), label("gender", "woman")]
    desk.root.write_coded("gender", coda_message("naag", *newer))
    told = desk.explain("a", "gender")
    assert "labelled it 'woman'. By now the coders say otherwise" in told
    desk.root.generate()
    assert "labelled it 'man'. Before that it had 'woman' (by Coder (coder@example.org)" in desk.explain("a", "gender")


def test_a_code_that_the_scheme_lacks_is_named_beside_what_is_kept(desk: Desk):
    desk.root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="naag"))
    desk.root.write_coded("gender", coda_message("naag", label("gender", "unheard-of")))
    desk.root.generate()
    told = desk.explain("a", "gender")
    assert "code id 'gender-unheard-of', which scheme 'gender' lacks: it is kept as 'NC' (not coded)" in told


def test_empty_and_meaningless_answers_are_not_coded(desk: Desk):
    desk.root.write_runs(episode_run("a", ""), episode_run("b", " \u3000"))
    desk.root.generate()
    assert "wrote an empty text" in desk.explain("a", "rqa_s01e01_NC")
    assert "The answer is empty: 'NC'" in desk.explain("a", "rqa_s01e01_NC")
    assert "nothing but white space or too short, and no coder labelled it: 'NC'" in desk.explain("b", "rqa_s01e01_NC")


def test_an_age_category_follows_from_the_age(desk: Desk):
    desk.root.write_runs(
        episode_run("a", "biyo"), survey_run("a", age="24 jir"), episode_run("b", "biyo"), survey_run("b", age="7 jir")
    )
    messages = [coda_message("24 jir", label("age", "24")), coda_message("7 jir", label("age", "7"))]
    desk.root.write_coded("age", *messages)
    desk.root.generate()
    told = desk.explain("a", "age_category")
    assert "labelled it '24'" in told
    assert "age_category: It follows from 'age_coded', which is '24': '18_to_35'" in told
    assert "'age_coded' is '7', which no category has: 'CE' (coding error)" in desk.explain("b", "age_category")
    steps = desk.steps("a", "age_category")
    imputed = next(step for step in steps if step["step"] == "imputation")
    assert (imputed["rule"], imputed["code"]) == ("age_category", "18_to_35")
    assert [found["CodeID"] for found in imputed["labels_from_coders"]] == ["age-24"]


def test_places_follow_from_the_finest_one_that_was_labelled(desk: Desk):
    desk.root.write_runs(episode_run("a", "biyo"), survey_run("a", location="baydhabo"))
    desk.root.write_coded("location", coda_message("baydhabo", by("Hodan", label("district", "baidoa"))))
    desk.root.generate()
    tick = "Hodan (hodan@example.org) on 2026-04-06 09:30:00 UTC labelled it 'baidoa' in 'district'"
    assert f"{tick}: the finest place counts, and it lies in 'bay': 'bay'" in desk.explain("a", "region")
    assert f"{tick}: no coder named anything finer: 'NC'" in desk.explain("a", "sub_district")
    assert "labelled it 'baidoa'." in desk.explain("a", "district")


def test_places_that_contradict_each_other_name_all_labels(desk: Desk):
    desk.root.write_runs(episode_run("a", "biyo"), survey_run("a", location="baydhabo"))
    labels = [by("Hodan", label("district", "baidoa")), by("Ali", label("region", "banadir"))]
    desk.root.write_coded("location", coda_message("baydhabo", *labels))
    desk.root.generate()
    told = desk.explain("a", "zone")
    assert re.search("Hodan .* labelled it 'baidoa' in 'district' and Ali .* labelled it 'banadir' in 'region'", told)
    assert "contradict each other" in told
    assert "=> zone: CE" in told


def test_what_is_said_of_the_coding_at_one_level_holds_at_all(desk: Desk):
    desk.root.write_runs(episode_run("a", "biyo"), survey_run("a", location="meel fog"))
    desk.root.write_coded("location", coda_message("meel fog", by("Ali", label("district", "NIC"))))
    desk.root.generate()
    told = desk.explain("a", "zone")
    assert re.search(
        r"Ali .* labelled it 'NIC' \(not internally consistent\) in 'district': all levels say the same", told
    )


def test_without_an_answer_the_zone_is_that_of_the_operator(desk: Desk):
    desk.root.write_runs(episode_run("a", "biyo", operator="golis"), episode_run("b", "biyo"))
    desk.root.generate()
    told = desk.explain("a", "zone")
    assert (
        "no answer that names a place; most customers of the participant's mobile operator 'golis' live in 'nez'"
        in told
    )
    assert "There is no answer, so there is nothing to code: 'NA' (no answer)" in desk.explain("b", "zone")
    operator = desk.explain("a", "operator")
    assert (
        "'25261' is what was kept, when the run was fetched on 2026-04-01 00:00:00 UTC by tester@example.org"
        in operator
    )
    assert "What '25261' stands for; coders do not see it: 'golis'" in operator


def test_a_function_of_the_projects_own_is_named_with_the_labels_it_had(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    def impute(plans: Document) -> None:
        plans["DemographicCodingPlans"][0]["CodeImputationFunction"] = "our_rules:impute_gender"

    desk = Desk(DataRoot(tmp_path, write_project(tmp_path / "configuration", change_plans=impute)), capsys)
    (tmp_path / "configuration" / "our_rules.py").write_text(
        "from engagement.pipeline.coding.labels import make_pipeline_label\n\n"
        "def impute_gender(plan, labels, answer):\n"
        "    scheme = plan.coding_configurations[0].code_scheme\n"
        "    return [(make_pipeline_label(scheme, scheme.codes_by_match_value['man']),)]\n"
    )
    desk.root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="naag"))
    desk.root.write_coded("gender", coda_message("naag", by("Hodan", label("gender", "woman"))))
    desk.root.generate(allow_project_code=True)
    told = desk.explain("a", "gender")
    assert "project's own function 'our_rules:impute_gender', from Hodan (hodan@example.org) on" in told
    assert "labelled it 'woman' in 'gender': 'man'" in told


def test_a_contradiction_about_the_scheme_says_which_label_is_missing(desk: Desk):
    desk.root.write_runs(
        episode_run("a", "biyo"),
        survey_run("a", gender="hodan"),
        episode_run("b", "biyo"),
        survey_run("b", gender="naag"),
    )
    marked = coda_message("hodan", by("Ali", label("gender", "WS")))
    named = coda_message("naag", label("gender", "woman"), by("Ali", label("ws", "age")))
    desk.root.write_coded("gender", marked, named)
    desk.root.generate()
    assert re.search("Ali .* labelled it 'WS' .* but nobody named the dataset", desk.explain("a", "gender"))
    assert re.search("Ali .* named 'age' as the dataset .* its label here is not 'WS'", desk.explain("b", "gender"))


def move(text: str, scheme: str, target: str) -> Document:
    return coda_message(text, by("Hodan", label(scheme, "WS")), by("Ali", label("ws", target)))


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


def write_season(root: DataRoot) -> None:
    """Participants with all kinds of cells."""
    root.write_runs(
        episode_run("a", "biyo", operator="golis"),
        episode_run("a", "rajo", 2, operator="golis"),
        survey_run("a", gender="naag", age="24", location="baydhabo"),
        episode_run("b", "", run_id=2),
        survey_run("b", gender="24", run_id=101),
        episode_run("c", "jooji", run_id=3),
    )
    root.write_coded(
        "s01e01", coda_message("biyo", label("episode1", "water")), coda_message("jooji", label("episode1", "STOP"))
    )
    root.write_coded("gender", coda_message("naag", label("gender", "woman")), move("24", "gender", "age"))
    root.write_coded("age", coda_message("24", label("age", "24")))
    root.write_coded("location", coda_message("baydhabo", label("district", "baidoa")))
    root.generate()


def test_every_cell_that_is_told_is_the_one_in_the_csvs(tmp_path: Path):
    root = DataRoot(tmp_path)
    write_season(root)
    project = load_project(root.configuration)
    for uid in (uid_of("a"), uid_of("b")):
        rows = [row for row in root.table("messages") if row["uid"] == uid]
        (individual,) = [row for row in root.table("individuals") if row["uid"] == uid]
        for column in individual:
            *messages, last = tell_story(project, root.path, uid, column).sections
            if column in ("uid", "consent_withdrawn"):
                assert last.cells == {column: individual[column]}
                continue
            assert last.cells == {column: individual[column]}
            told: dict[int, Any] = {number: section.cells for section in messages for number in section.rows}
            assert told == {number: {column: row[column]} for number, row in enumerate(rows, 1)}
            assert all(section.steps for section in (*messages, last))


def test_a_participant_is_told_of_as_a_whole(desk: Desk):
    write_season(desk.root)
    told = desk.explain("a")
    for words in ("Message 1 of 2", "Message 2 of 2", "gender_raw in all 2 messages", "“baydhabo”", "“biyo”", "“rajo”"):
        assert words in told
    assert "=> rqa_s01e01_water: 1" in told
    assert "=> rqa_s01e01_school" not in told
    assert "No coder had labelled any answer of theirs STOP" in told
    assert "gave no answer to location_raw" not in told
    assert "The participant gave no answer to location_raw" in desk.explain("b")


def test_of_those_who_withdrew_no_more_is_told_than_of_strangers(desk: Desk):
    write_season(desk.root)
    answers = {name: desk.explain(name, status=2).replace(uid_of(name), "UID") for name in ("c", "stranger")}
    assert answers["c"] == answers["stranger"]
    assert "or they withdrew their consent: nothing is shown about those who did" in answers["c"]


def test_a_uid_that_is_mistyped_names_those_that_look_like_it(desk: Desk):
    desk.root.write_runs(episode_run("3f9d0a12-77aa", "biyo"), episode_run("c41b0a12-99bb", "biyo"))
    desk.root.generate()
    error = desk.explain("3f9d0a12-77ab", status=2)
    assert f"Nearest: '{uid_of('3f9d0a12-77aa')}'." in error
    assert uid_of("c41b0a12-99bb") not in error


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("+252615001001", "looks like a phone number"),
        ("0615 001 001", "looks like a phone number"),
        ("avf-phone-uuid-252615001001", "has a number where its uuid should be"),
        ("avf-phone-uuid-amina", "has no uuid behind its prefix"),
        ("Amina 001", "is no participant's uuid"),
    ],
)
def test_what_is_no_uid_is_not_shown(desk: Desk, given: str, problem: str):
    write_season(desk.root)
    error = desk.explain(given, status=2, is_whole=True)
    assert (
        f"no participant is what was given (not shown, as it {problem}); expected a uid of individuals.csv, like"
        in error
    )
    assert "'avf-phone-uuid-<uuid>'" in error
    assert not any(secret in error for secret in ("615001001", "001 001", "mina"))


def test_a_uid_that_nobody_has_is_shown(desk: Desk):
    write_season(desk.root)
    uid = "avf-phone-uuid-0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f11"
    assert f"no participant is '{uid}'; expected" in desk.explain(uid, status=2, is_whole=True)
    assert "252615001001" not in desk.explain("a", "252615001001", status=2)


def test_an_unknown_column_names_the_nearest(desk: Desk):
    write_season(desk.root)
    assert "no column 'gendr'; nearest: 'gender'" in desk.explain("a", "gendr", status=2)


def test_another_configuration_than_the_one_of_the_outputs_is_refused(desk: Desk):
    write_season(desk.root)

    def rename(plans: Document) -> None:
        plans["DemographicCodingPlans"][0]["CodingConfigurations"][0]["AnalysisFileKey"] = "sex"

    write_project(desk.root.configuration.parent, change_plans=rename)
    assert "no column 'sex', a column 'gender' that it does not have" in desk.explain("a", status=11)


def test_a_code_that_the_configuration_no_longer_has_is_refused(desk: Desk):
    write_season(desk.root)

    def change_id(schemes: dict[str, Document]) -> None:
        next(code for code in schemes["gender"]["Codes"] if code["StringValue"] == "woman")["CodeID"] = "other"

    write_project(desk.root.configuration.parent, change_schemes=change_id)
    assert "field 'gender_coded': code id(s) 'gender-woman'" in desk.explain("a", status=11)


def test_the_kept_configuration_is_used_when_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = DataRoot(tmp_path)
    write_season(root)
    keep_project(load_project(root.configuration), root.path)
    plans = make_coding_plans()
    del plans["FollowUpCodingPlans"]
    write_project(root.configuration.parent, change_plans=lambda given: given["RQACodingPlans"].reverse())
    assert main(["explain", str(root.path), uid_of("a"), "gender"]) == 0
    assert "labelled it 'woman'" in capsys.readouterr().out


def test_outputs_that_are_not_coded_yet_are_refused(desk: Desk):
    desk.root.write_runs(episode_run("a", "biyo"))
    desk.root.generate(mode="auto-code-only")
    assert "expected what stage 3 writes in mode 'all-stages'" in desk.explain("a", status=11)


def test_files_of_different_runs_are_refused(desk: Desk):
    write_season(desk.root)
    before = (desk.root.outputs / "individuals_traced_data.jsonl").read_bytes()
    desk.root.write_coded("gender")
    desk.root.generate()
    (desk.root.outputs / "individuals_traced_data.jsonl").write_bytes(before)
    assert "The files are of different runs" in desk.explain("a", status=11)


def test_a_data_root_that_is_not_there_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["explain", str(tmp_path / "nowhere"), "uid"]) == 2
    assert "expected the data root" in capsys.readouterr().err


def test_nothing_is_written(desk: Desk):
    write_season(desk.root)
    before = {path: path.stat().st_mtime_ns for path in desk.root.path.rglob("*")}
    desk.explain("a")
    desk.explain("nobody", status=2)
    assert {path: path.stat().st_mtime_ns for path in desk.root.path.rglob("*")} == before
