"""Labels that count for nothing: which they are, how many messages have them, what they probably meant."""

import logging

import pytest

from engagement.configuration import load_coding_plans
from engagement.pipeline.coding.lost_labels import find_lost_labels
from example_project import DataRoot, coda_message, label, survey_run, write_project

UNCODED = "SPECIAL-MANUALLY_UNCODED"
OF_NO_PLAN = "which the dataset's plan does not have"


def of_scheme(scheme_id, given):
    return {**given, "SchemeID": scheme_id}


def of_code(code_id, given):
    return {**given, "CodeID": code_id}


@pytest.fixture
def plans(tmp_path):
    return load_coding_plans(write_project(tmp_path).parent / "coding_plans.json")


def find(plans, *labels, dataset="EXAMPLE_gender"):
    """What is lost in a dataset whose messages have these labels, a list for each."""
    messages = [coda_message(f"jawaab {number}", *given) for number, given in enumerate(labels)]
    return find_lost_labels(dataset, plans, messages)


MAN, WOMAN = label("gender", "man"), label("gender", "woman")

# Labels of one message of the dataset of genders, that are all read or were never a coder's word.
NOT_LOST = [
    [],
    [MAN],
    [label("gender", "WS"), label("ws", "age")],
    [label("ws", "age", copy="-1")],
    # not ticked, without Checked, taken off, or not the newest of its scheme
    [of_scheme("Scheme-old", label("gender", "man", checked=False))],
    [{key: value for key, value in of_scheme("Scheme-old", MAN).items() if key != "Checked"}],
    [of_scheme("Scheme-old", label("gender", UNCODED)), of_scheme("Scheme-old", MAN)],
    [of_scheme("Scheme-old", label("gender", "man", checked=False)), of_scheme("Scheme-old", MAN)],
    [label("gender", "unheard", checked=False)],
    [WOMAN, label("gender", "unheard")],
    # a copy of a scheme with one label a message, where it says the same or is read all the same
    [MAN, label("gender", "man", copy="-1")],
    [label("gender", "STOP", copy="-1")],
]


@pytest.mark.parametrize("labels", NOT_LOST)
def test_labels_that_count_or_never_did_are_not_lost(plans, labels):
    assert find(plans, labels) == []


def test_of_a_dataset_without_a_plan_nothing_is_known(plans):
    assert find(plans, [of_scheme("Scheme-old", MAN)], dataset="EXAMPLE_unheard") == []


def test_labels_of_a_scheme_that_no_plan_has_are_counted_by_message(plans):
    copied = [of_scheme("Scheme-old", MAN), of_scheme("Scheme-old-1", WOMAN)]  # two labels, one message
    lost = find(plans, [of_scheme("Scheme-old", MAN)], copied, [of_scheme("Scheme-old", WOMAN)], [WOMAN])
    assert [(found.scheme_id, found.count) for found in lost] == [("Scheme-old", 3)]
    assert lost[0].text.startswith(
        f"3 message(s) are labelled under scheme 'Scheme-old', {OF_NO_PLAN}; expected labels of "
    )


# Labels of the dataset, and what is said of the scheme that they probably belong to.
LIKELY_SCHEMES = [
    ("by its codes", "Scheme-79ab", [MAN], "'gender' (gender.json): it has 1 of the 1 code(s)", "set SchemeID in gender.json back"),
    # of another plan: only the codes tell
    ("by the codes of another", "Scheme-79ab", [label("district", "baidoa")], "'district' (district.json): it has 1", "Give the plan"),
    ("by its id", "Scheme-age", [label("age", "24")], "'age' (age.json): it has this SchemeID", "Give the plan"),
    ("by its name", "Scheme_Gender_2", [of_code("code-1", MAN)], "'gender' (gender.json): its name or SchemeID", "set SchemeID"),
    ("by a near id", "Scheme-gendre", [of_code("code-1", MAN)], "'gender' (gender.json)", "set SchemeID"),
    ("codes come before ids", "Scheme-gendre", [label("ws", "age")], "'ws' (ws.json): it has 1", "set SchemeID in ws.json back"),
    ("one that nobody knows", "Scheme-79ab", [of_code("code-1", MAN)], None, "Put the scheme back into the plan"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("scheme_id", "labels", "said", "advice"), [pytest.param(*c[1:], id=c[0]) for c in LIKELY_SCHEMES]
)
def test_the_scheme_that_labels_probably_belong_to_is_named(plans, scheme_id, labels, said, advice):
    (lost,) = find(plans, [of_scheme(scheme_id, given) for given in labels])
    assert advice in lost.text
    assert ("Probably" in lost.text) == (said is not None)
    assert said is None or f"Probably it is {said}" in lost.text


def test_control_codes_with_one_id_in_all_schemes_do_not_tell_which_scheme_it_is(tmp_path):
    def share_controls(schemes):
        for scheme in schemes.values():
            for code in scheme["Codes"]:
                if code["CodeType"] == "Control":
                    code["CodeID"] = f"code-{code['ControlCode']}"

    path = write_project(tmp_path, change_schemes=share_controls)
    plans = load_coding_plans(path.parent / "coding_plans.json")
    (lost,) = find(plans, [of_scheme("Scheme-79ab", of_code("code-NC", MAN))])
    assert "Probably" not in lost.text
    (lost,) = find(plans, [of_scheme("Scheme-gender2", of_code("code-NC", MAN))])
    assert "Probably it is 'gender' (gender.json)" in lost.text


def test_a_scheme_whose_own_id_has_labels_is_not_to_be_changed(plans):
    (lost,) = find(plans, [of_scheme("Scheme-old", MAN)], [WOMAN], [MAN])
    assert "That has 2 label(s) under its own SchemeID 'Scheme-gender', which a change would lose" in lost.text
    assert "set SchemeID" not in lost.text


def test_lost_labels_that_say_stop_are_told(plans):
    stop = of_scheme("Scheme-old", label("gender", "STOP"))
    (lost,) = find(plans, [stop], [of_scheme("Scheme-old", MAN)])
    assert "1 of them say STOP: their participants are not withdrawn now." in lost.text


# A label with a code that its scheme lacks, and what it probably was.
LIKELY_CODES = [
    ("of another scheme", "age-24", "the code '24' of scheme 'age' (age.json): it has this CodeID"),
    ("a control code by its name", "code-NC-42f1d983", "the Control code 'NC': the id names it"),
    ("by its name", "code-woman", "the code 'woman': its name is like that id"),
    ("by a near id", "gender-wuman", "the code 'woman': its name is like that id"),
    ("nothing like it", "gender-79ab3", None),
]


@pytest.mark.parametrize(("code_id", "said"), [pytest.param(*case[1:], id=case[0]) for case in LIKELY_CODES])
def test_the_code_that_a_label_probably_had_is_named(plans, code_id, said):
    (lost,) = find(plans, [of_code(code_id, MAN)], [MAN])
    assert (lost.scheme_id, lost.code_id, lost.count) == ("Scheme-gender", code_id, 1)
    assert f"1 message(s) have the label {code_id!r}, which scheme 'gender' (gender.json) lacks" in lost.text
    assert "count as not coded (NC)" in lost.text
    assert ("Probably" in lost.text) == (said is not None)
    assert said is None or f"Probably it is {said}." in lost.text


def test_an_unknown_code_of_the_wrong_scheme_scheme_moves_nothing(plans):
    (lost,) = find(plans, [label("gender", "WS"), label("ws", "health")])
    assert "such answers move nowhere" in lost.text


def test_labels_of_a_copy_of_a_single_scheme_are_told(plans):
    copy = label("gender", "man", copy="-1")
    (lost,) = find(plans, [copy], [label("gender", UNCODED), label("gender", "man", copy="-2")], [WOMAN, copy])
    assert lost.count == 3
    assert "labelled under a copy of scheme 'gender' (gender.json)" in lost.text


def test_stage_3_warns_once_for_each_dataset_and_scheme_and_no_text_is_told(tmp_path, caplog):
    root = DataRoot(tmp_path)
    texts = [f"nin {number}" for number in range(19)]
    root.write_runs(*(survey_run(f"p{number}", gender=text) for number, text in enumerate(texts)))
    root.write_coded("gender", *(coda_message(text, of_scheme("Scheme-79ab", MAN)) for text in texts))
    root.write_coded("age", coda_message("24", of_scheme("Scheme-79ab", label("age", "24"))))
    with caplog.at_level(logging.WARNING):
        root.generate(jobs=2, partitions=3)
    told = [record.getMessage() for record in caplog.records if OF_NO_PLAN in record.getMessage()]
    assert [line.split(" are labelled")[0] for line in told] == [
        "Coda 'EXAMPLE_gender': 19 message(s)",
        "Coda 'EXAMPLE_age': 1 message(s)",
    ]
    assert not any(f"nin {number}" in caplog.text for number in range(19))
