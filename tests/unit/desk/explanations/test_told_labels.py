"""What `explain` tells of cells that labels gave: whose label counts, and what follows from it."""

import re
from pathlib import Path

import pytest

from example_project import DataRoot, Document, coda_message, episode_run, label, survey_run, write_project
from explained_project import Desk, by


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
