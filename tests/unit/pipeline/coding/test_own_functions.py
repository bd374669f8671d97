"""A project's own functions get all labels, and a wrong result is told by function, type and count."""

from pathlib import Path

import pytest

from engagement.configuration import load_project
from engagement.foundation.errors import ConfigurationError
from engagement.pipeline.coding.imputing import AnswerState
from engagement.pipeline.coding.labels import make_pipeline_label
from engagement.pipeline.coding.own_functions import OwnCleaner, OwnImputation
from example_project import write_project


@pytest.fixture
def plans(tmp_path: Path):
    return load_project(write_project(tmp_path)).coding_plans


def label_of(plan, position: int, value: str):
    scheme = plan.coding_configurations[position].code_scheme
    return make_pipeline_label(scheme, next(code for code in scheme.codes if code.string_value == value))


def test_it_gets_and_gives_every_label_of_a_multiple_scheme(plans):
    plan = plans.rqa[0]
    labels = ((label_of(plan, 0, "water"), label_of(plan, 0, "school")),)
    seen = []

    def keep(given_plan, given, answer):
        seen.append((given_plan, given, answer))
        return [[*given[0], label_of(plan, 0, "roads")]]

    found, _ = OwnImputation("own:keep", keep)(plan)(labels, AnswerState(True, None))
    assert seen == [(plan, labels, AnswerState(True, None))]
    assert found == ((*labels[0], label_of(plan, 0, "roads")),)


GIVEN = {
    "nothing": (lambda plan, labels, answer: None, "it gave None"),
    "a label": (lambda plan, labels, answer: labels[0][0], "it gave a value of type Label"),
    "a text": (lambda plan, labels, answer: "water", "it gave a value of type str"),
    "labels, as once was right": (
        lambda plan, labels, answer: [labels[0][0], labels[1][0]],
        "number 1 of what it gave is a value of type Label",
    ),
    "too few": (
        lambda plan, labels, answer: labels[:1],
        r"it gave a tuple of 1 \(tuple\) for 2 coding configuration\(s\)",
    ),
    "too many": (lambda plan, labels, answer: [*labels, ()], r"it gave a list of 3 \(tuple\) for 2"),
    "an empty tuple": (lambda plan, labels, answer: (labels[0], ()), "number 2 of what it gave is a tuple of 0"),
    "codes in place of labels": (
        lambda plan, labels, answer: (labels[0], (labels[1][0].code,)),
        r"number 2 of what it gave is a tuple of 1 \(Code\)",
    ),
    "two labels of a SINGLE scheme": (
        lambda plan, labels, answer: (labels[0] * 2, labels[1]),
        r"number 1 of what it gave is a tuple of 2 \(Label\), for 'age_coded', which is SINGLE",
    ),
    "labels of another scheme": (
        lambda plan, labels, answer: (labels[1], labels[0]),
        r"number 1 .* with the code 'age_category-NC' for 'age_coded', whose scheme 'age' lacks it",
    ),
}


@pytest.mark.parametrize("case", GIVEN)
def test_another_shape_is_an_error_that_names_the_function(plans, case: str):
    function, told = GIVEN[case]
    plan = plans.demographic[1]
    labels = ((label_of(plan, 0, "20"),), (label_of(plan, 1, "NC"),))
    with pytest.raises(ConfigurationError, match=told) as refused:
        OwnImputation("our_rules:impute", function)(plan)(labels, AnswerState(True, None))
    assert refused.value.exit_status == 10
    assert str(refused.value).startswith("imputation function 'our_rules:impute', plan 'age_raw': ")
    assert "expected 2 tuple(s), one for each coding configuration" in str(refused.value)


def test_what_it_raises_is_told_by_type_and_place_and_not_by_its_text(plans):
    def impute(plan, labels, answer):
        raise KeyError("waxaan joogaa hodan")

    with pytest.raises(ConfigurationError, match=r"'our_rules:impute': it raised KeyError at .*test_own_functions.py, line \d+") as told:  # fmt: skip
        OwnImputation("our_rules:impute", impute)(plans.rqa[0])(
            ((label_of(plans.rqa[0], 0, "NR"),),), AnswerState(True, None)
        )
    assert "hodan" not in str(told.value)


@pytest.mark.parametrize(
    ("clean", "told"),
    [
        (lambda text: ["man"], r"'own:clean': it gave a list of 1 \(str\); expected a match value"),
        (lambda text: 5, "'own:clean': it gave a value of type int"),
        (lambda text: text.nothing(), "'own:clean': it raised AttributeError at "),
    ],
)
def test_a_cleaner_is_asked_for_a_text_or_none(clean, told: str):
    assert OwnCleaner("own:clean", lambda text: None)("nin") is None
    assert OwnCleaner("own:clean", lambda text: "man")("nin") == "man"
    with pytest.raises(ConfigurationError, match=told):
        OwnCleaner("own:clean", clean)("nin")
