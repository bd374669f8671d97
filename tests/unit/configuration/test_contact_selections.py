"""Selections of contacts: conditions are read as written, and every unknown name is told at once, with the nearest."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engagement.__main__ import main
from engagement.configuration.coded_with import AllOf, AnyOf, CodeTerm, Not, parse_condition, terms_of
from engagement.configuration.loading import load_project
from example_project import write_project

A, B, C = (CodeTerm(name, "1") for name in "abc")


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("a:1", A),
        ("a:1 or b:1 and c:1", AnyOf((A, AllOf((B, C))))),
        ("(a:1 or b:1) and c:1", AllOf((AnyOf((A, B)), C))),
        ("not a:1 and b:1", AllOf((Not(A), B))),
        ("not (a:1 or b:1)", Not(AnyOf((A, B)))),
        ("not not a:1", A),
        ("(((a:1)))", A),
        ("'a:1 or more'", CodeTerm("a", "1 or more")),  # a StringValue with blanks
        ("time:18:00", CodeTerm("time", "18:00")),
    ],
)
def test_conditions_are_read(text: str, condition: Any):
    assert parse_condition(text) == condition


@pytest.mark.parametrize(
    "text", ["", "a", "a:", ":1", "a:1 b:1", "a:1 or", "and a:1", "(a:1", "a:1)", "'a:1", "()", "(" * 2000 + "a:1"]
)
def test_what_is_no_condition_is_refused(text: str):
    with pytest.raises(ValueError, match="expected"):
        parse_condition(text)


def test_the_codes_of_a_condition_are_listed():
    assert list(terms_of(parse_condition("a:1 or not (b:1 and c:1)"))) == [A, B, C]


def contacts(*selections: dict[str, Any], **more: Any) -> Any:
    def change(document: Any) -> None:
        document.update(Contacts=list(selections), **more)

    return change


GROUPS = [{"Name": "mothers", "Files": ["mothers.csv"]}]
WHOLE = {
    "Name": "s01e03 advert", "TookPartIn": ["rqa_s01e01", "any"], "LastWeeks": 4,
    "CodedWith": "rqa_s01e01:water and not (gender:man or age:5..17)", "Places": ["bay", "region:banadir"],
    "ListeningGroups": ["mothers"], "NotContactedForDays": 14, "Operators": ["hormud"],
    "ExclusionFiles": ["partner.csv"], "Sample": {"Size": 10, "StratifyBy": "gender"}, "To": {"Group": "s01e03"},
}  # fmt: skip


def test_a_selection_of_everything_loads(tmp_path: Path):
    path = write_project(tmp_path, contacts(WHOLE, ListeningGroups=GROUPS))
    selection = load_project(path).configuration.contacts[0]
    assert (selection.name, selection.sample.seed) == ("s01e03 advert", 1)


def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], *selections: dict[str, Any], **more: Any) -> list[str]:
    path = write_project(tmp_path, contacts(*selections, **more))
    for name in ("mothers.csv", "a.csv"):
        (tmp_path / name).write_text("uid\n")
    # The command that operators ask first tells the same as every stage.
    assert main(["check", str(path)]) == 10
    told = capsys.readouterr()
    return [line.strip() for line in (told.out + told.err).splitlines() if "$." in line and "ERROR" in line]


def test_all_unknown_names_are_told_at_once_with_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    wrong = {
        "Name": "advert", "TookPartIn": ["rqa_s01e10"], "CodedWith": "rqa_s01e01:watre or gendr:man or age:200..300",
        "Places": ["baay", "regoin:bay"], "OptedIn": True, "ListeningGroups": ["mother"], "Operators": ["hormuud"],
        "ExcludedSelections": ["adverts"], "Sample": {"Size": 5, "StratifyBy": "regions"}, "To": {},
    }  # fmt: skip
    told = refused(tmp_path, capsys, wrong, ListeningGroups=GROUPS)
    found = [line.partition("at $.Contacts[0].")[2] for line in told]
    # Each with its nearest name first.
    shortened = [re.sub(r"(nearest: '[^']+').*", r"\1", line).partition(" Change")[0] for line in found]
    assert shortened == [
        "TookPartIn[0]: 'rqa_s01e10' is no episode; expected one; nearest: 'rqa_s01e02'",
        "CodedWith: 'watre' is no code of 'rqa_s01e01'; expected one; nearest: 'water'",
        "CodedWith: 'gendr' is no dataset; expected one; nearest: 'gender'",
        "CodedWith: '200..300' is no code of 'age'; expected one.",
        "Places[0]: 'baay' is no place; expected one; nearest: 'bay'",
        "Places[1]: 'regoin:bay' is no place; expected one; nearest: 'region:bay'",
        "OptedIn: no scheme of an episode has a code 'opt_in'; expected one. Leave it out, or add the code.",
        "ListeningGroups[0]: 'mother' is no listening group; expected one; nearest: 'mothers'",
        "Operators[0]: 'hormuud' is no operator of OperatorScheme; expected one; nearest: 'hormud'",
        "Sample.StratifyBy: 'regions' is no dataset; expected one; nearest: 'region'",
        "To: neither Group nor Field; expected one or both. Add one, or remove To.",
        "ExcludedSelections[0]: 'adverts' is no selection; expected one; nearest: 'advert'",
    ]


def test_selections_that_leave_each_other_out_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    circle = [{"Name": name, "ExcludedSelections": [other]} for name, other in (("a", "b"), ("b", "c"), ("c", "b"))]
    told = refused(tmp_path, capsys, *circle)
    assert len(told) == 2
    assert "'c' leaves out 'b' in turn" in told[0]
    assert all("$.Contacts[0]" not in line for line in told)


def test_repeated_names_and_taken_columns_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    groups = [{"Name": name, "Files": ["a.csv"]} for name in ("Mothers", "mothers")]
    told = refused(tmp_path, capsys, {"Name": "a"}, {"Name": "a"}, ListeningGroups=groups)
    assert len(told) == 2

    def take_column(plans: Any) -> None:
        plans["DemographicCodingPlans"][0]["CodingConfigurations"][0]["AnalysisFileKey"] = "listening_group_a"

    group = [{"Name": "a", "Files": ["a.csv"]}]
    path = write_project(tmp_path, lambda document: document.update(ListeningGroups=group), take_column)
    assert main(["check", str(path)]) == 10
    assert "'listening_group_a' is a column of a coding plan already" in capsys.readouterr().out


def test_a_condition_that_can_not_be_read_is_told_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (told,) = refused(tmp_path, capsys, {"Name": "a", "CodedWith": "gender:man or"})
    assert "can't be read: expected '<dataset>:<code>' at the end" in told


def test_no_place_is_a_number(tmp_path: Path):
    # Seeds and sizes are no names: only texts are looked at for phone numbers.
    path = write_project(tmp_path, contacts({"Name": "a", "Sample": {"Size": 5, "Seed": 252615000001}}))
    assert (
        json.loads(path.read_text())["Contacts"][0]["Sample"]["Seed"]
        == load_project(path).configuration.contacts[0].sample.seed
    )
