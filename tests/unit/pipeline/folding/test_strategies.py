import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.configuration import CodeScheme, ControlCode
from engagement.configuration.code_schemes import give_own_control_codes
from engagement.configuration.parsing import parse_model
from engagement.pipeline.coding.labels import Label, make_pipeline_label
from engagement.pipeline.folding.strategies import (
    LABEL_STRATEGIES,
    TEXT_STRATEGIES,
    FoldError,
    control_code_by_precedence,
    list_of_labels,
    yes_no_amb,
)
from example_project import make_scheme

CONTROLS = [*map(str, ControlCode), "NOP", "DNS"]
DECLARED = [("DNS", "did not say"), ("NOP", "no opinion")]
SCHEME = give_own_control_codes(
    parse_model(CodeScheme, make_scheme("answer", ["yes", "no", "ambivalent"], CONTROLS))[0], DECLARED
)


def labels_of(*values: str) -> tuple[Label, ...]:
    codes = {code.string_value: code for code in SCHEME.codes}
    return tuple(make_pipeline_label(SCHEME, codes[value]) for value in values)


def values_of(labels: tuple[Label, ...]) -> list[str]:
    return [label.code.string_value for label in labels]


ALL_VALUES = [code.string_value for code in SCHEME.codes]
label_fields = st.lists(st.sampled_from(ALL_VALUES), min_size=1, max_size=3, unique=True).map(lambda v: labels_of(*v))
single_fields = st.sampled_from(ALL_VALUES).map(labels_of)
texts = st.none() | st.sampled_from(["", "a", "b", "true", "false", "0", "1"])


def outcome(fold: Callable[[], Any]) -> Any:
    try:
        return fold()
    except FoldError:
        return FoldError


@pytest.mark.parametrize("strategy", TEXT_STRATEGIES.values(), ids=map(str, TEXT_STRATEGIES))
@given(first=texts, second=texts, third=texts)
def test_text_strategies_are_associative(strategy: Callable, first: str, second: str, third: str):
    left = outcome(lambda: strategy(strategy(first, second), third))
    right = outcome(lambda: strategy(first, strategy(second, third)))
    assert left == right


@pytest.mark.parametrize("strategy", LABEL_STRATEGIES.values(), ids=map(str, LABEL_STRATEGIES))
@given(data=st.data())
def test_label_strategies_are_associative(strategy: Callable, data: st.DataObject):
    fields = label_fields if strategy is list_of_labels else single_fields
    first, second, third = data.draw(fields), data.draw(fields), data.draw(fields)
    left = outcome(lambda: strategy(SCHEME, strategy(SCHEME, first, second)[0], third)[0])
    right = outcome(lambda: strategy(SCHEME, first, strategy(SCHEME, second, third)[0])[0])
    assert left == right


LISTS = [
    (["yes"], ["no"], ["yes", "no"]),
    (["no"], ["yes", "no"], ["no", "yes"]),
    (["NA"], ["NA"], ["NA"]),
    (["NA"], ["NC"], ["NC"]),
    (["NA"], ["NR"], ["NR"]),
    (["NC"], ["yes"], ["yes"]),
    (["NR"], ["yes"], ["NR", "yes"]),
]


@pytest.mark.parametrize(("first", "second", "expected"), LISTS)
def test_list_of_labels(first: list[str], second: list[str], expected: list[str]):
    assert values_of(list_of_labels(SCHEME, labels_of(*first), labels_of(*second))[0]) == expected


YES_NO = [
    ("yes", "yes", "yes"),
    ("yes", "no", "ambivalent"),
    ("ambivalent", "yes", "ambivalent"),
    ("NA", "no", "no"),
    ("no", "NR", "no"),
    ("greeting", "no", "ambivalent"),
    ("NA", "NC", "NC"),
]


@pytest.mark.parametrize(("first", "second", "expected"), YES_NO)
def test_yes_no_amb(first: str, second: str, expected: str):
    assert values_of(yes_no_amb(SCHEME, labels_of(first), labels_of(second))[0]) == [expected]


def test_precedence_is_the_formats_and_the_projects_own_codes_come_last_as_they_are_declared():
    precedence = ["STOP", "CE", "NR", "NIC", "NC", "DELETED", "NA", "NS", "WS", "NOC", "DNS", "NOP", "undeclared"]
    scheme = give_own_control_codes(parse_model(CodeScheme, make_scheme("a", [], precedence))[0], DECLARED)
    for first, second in itertools.combinations(precedence, 2):
        labels = [(make_pipeline_label(scheme, scheme.control(value)),) for value in (second, first)]
        assert values_of(control_code_by_precedence(scheme, *labels)[0]) == [first]
