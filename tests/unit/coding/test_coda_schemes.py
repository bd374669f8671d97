"""Whether Coda, the configuration and the labels mean the same by a code."""

import copy

import pytest

from coda_examples import code, code_scheme, label, message
from engagement.coding.coda_schemes import find_absent_schemes, find_scheme_differences, find_unknown_codes


def changed(change):
    scheme = copy.deepcopy(code_scheme())
    change(scheme)
    return scheme


@pytest.mark.parametrize(
    ("in_coda", "expected"),
    [
        (code_scheme(), []),
        # what nobody reads a label by
        (changed(lambda scheme: scheme["Codes"][0].update(Color="#fff", Shortcut="h", VisibleInCoda=False)), []),
        (changed(lambda scheme: scheme.update(Name="Another", Version="2", Documentation={"URI": "x"})), []),
        (changed(lambda scheme: scheme["Codes"].reverse()), []),
        (changed(lambda scheme: scheme["Codes"].pop(0)), ["code 'code-health': only the configuration has it"]),
        (changed(lambda scheme: scheme["Codes"].append(code("code-new", 9))), ["code 'code-new': only Coda has it"]),
        (
            changed(lambda scheme: scheme["Codes"][1].update(NumericValue=7, StringValue="wells")),
            ["code 'code-water': NumericValue is 7 in Coda, 2 here; StringValue is 'wells' in Coda, 'code_water' here"],
        ),
        (
            changed(lambda scheme: scheme["Codes"][-1].update(ControlCode="NC")),
            ["code 'code-STOP': ControlCode is 'NC' in Coda, 'STOP' here"],
        ),
        # another scheme altogether is not this one changed
        (code_scheme("Scheme-other"), []),
    ],
)
def test_what_differs_between_two_versions_of_a_scheme_is_named(in_coda, expected):
    assert find_scheme_differences([in_coda], [code_scheme()]) == [
        f"scheme 'Scheme-theme', {line}" for line in expected
    ]


def test_schemes_that_coda_lacks_are_found():
    assert find_absent_schemes([code_scheme()], [code_scheme("Scheme-a"), code_scheme()]) == ["Scheme-a"]


def test_labels_with_a_code_that_their_scheme_lacks_are_counted_by_code():
    messages = [
        message(1, [label("code-lost")]),
        message(2, [label("code-lost", "Scheme-theme-1"), label("code-lost")]),  # a copy of the scheme: one message
        message(3, [label("code-gone"), label("code-health")]),
        message(4, [label("code-health"), label("code-lost")]),  # mended since
        message(5, [label("SPECIAL-MANUALLY_UNCODED")]),
        message(6, [label("code-anything", "Scheme-unknown")]),
    ]
    assert find_unknown_codes(messages, [code_scheme()]) == [
        "1 message(s) have the label 'code-gone', which scheme 'Scheme-theme' lacks",
        "2 message(s) have the label 'code-lost', which scheme 'Scheme-theme' lacks",
    ]
