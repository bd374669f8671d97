"""Whether Coda, the configuration and the labels mean the same by a code."""

import copy

import pytest

from coda_examples import code, code_scheme, label, message
from engagement.labelling.datasets.scheme_differences import (
    find_absent_schemes,
    find_odd_schemes,
    find_scheme_differences,
    find_unknown_codes,
)


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
        (
            changed(lambda scheme: scheme["Codes"].pop(0)),
            ["code 'code-health': only the configuration has it; coders can't choose it"],
        ),
        (
            changed(lambda scheme: scheme["Codes"].append(code("code-new", 9))),
            ["code 'code-new': only Coda has it, as 'code-new'; answers that coders give it count as not coded (NC)"],
        ),
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


def test_each_version_of_a_scheme_is_compared_and_a_difference_told_once():
    edited = changed(lambda scheme: scheme["Codes"].append(code("code-new", 9)))
    assert len(find_scheme_differences([edited, code_scheme(), edited], [code_scheme()])) == 1


OTHER = {"SchemeID": "Scheme-mood", "Name": "Mood", "Codes": [code("code-happy", 1), code("code-sad", 2)]}

# What coders see beside the configured scheme, and what is said of it.
ODD = [
    ("the same as the copy", code_scheme("Scheme-theme-1"), None),
    (
        "a copy with a code of its own",
        {**changed(lambda scheme: scheme["Codes"].append(code("code-new", 9))), "SchemeID": "Scheme-theme-1"},
        "scheme 'Scheme-theme-1', a copy of 'Scheme-theme', code 'code-new': only Coda has it, as 'code-new'",
    ),
    ("another scheme", OTHER, "scheme 'Scheme-mood' ('Mood'): only Coda has it; labels under it count for nothing"),
    (
        "the scheme under its earlier id",
        code_scheme("Scheme-old"),
        "It has 9 of the codes of 'Scheme-theme': if the SchemeID was changed in the file, set it back",
    ),
]


@pytest.mark.parametrize(("in_coda", "said"), [pytest.param(*case[1:], id=case[0]) for case in ODD])
def test_what_coders_see_and_the_configuration_does_not_know_is_found(in_coda, said):
    found = find_odd_schemes([code_scheme(), in_coda, in_coda], [code_scheme()])
    assert len(found) == (said is not None)
    assert said is None or said in found[0]


def test_a_scheme_that_shares_only_control_codes_is_not_taken_for_another():
    controls = [
        {**each, "CodeID": f"x-{each['CodeID']}"} if "ControlCode" not in each else each
        for each in code_scheme()["Codes"]
    ]
    (found,) = find_odd_schemes([{**OTHER, "Codes": controls}], [code_scheme(), code_scheme("Scheme-b")])
    assert "It has" not in found


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
