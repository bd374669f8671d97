"""WriteBack in the configuration: every wrong name is told at once, with the nearest, and exits 10."""

import json
from pathlib import Path
from typing import Any

import pytest

from engagement.configuration.loading import load_pipeline_configuration, load_project
from engagement.configuration.write_back_checks import find_write_back_warnings
from engagement.foundation.errors import ConfigurationError
from example_project import write_project

WITHDRAWN = {"Group": "stopped", "Field": "consent_withdrawn"}
SELECTIONS = [
    {"Name": "advert", "To": {"Group": "Advert", "Field": "advert"}},
    {"Name": "nowhere"},
]


def write(folder: Path, write_back: Any) -> Path:
    return write_project(folder, lambda document: document.update(WriteBack=write_back, Contacts=SELECTIONS))


def test_a_right_one_is_taken(tmp_path: Path):
    answers = [{"CodedField": "age_category_coded", "Field": "age_group", "Values": True}]
    write_back = {
        "Withdrawn": WITHDRAWN,
        "Demographics": answers,
        "NonRelevant": {"Group": "n"},
        "Contacts": ["advert"],
    }
    found = load_project(write(tmp_path, write_back)).configuration.write_back
    assert found is not None
    assert found.demographics[0].values
    assert not found.allow_clearing


@pytest.mark.parametrize(
    ("write_back", "said"),
    [
        ({}, "$.WriteBack: nothing is in it; expected something to write"),
        ({"Withdrawn": {}}, "$.WriteBack.Withdrawn: no Group, Field or Block; expected at least one"),
        ({"NonRelevant": {}}, "$.WriteBack.NonRelevant: no Group or Field; expected at least one"),
        ({"Withdrawn": {"Field": "Consent Withdrawn"}}, "can't be the key of a contact field"),
        ({"Withdrawn": {"Action": "stop"}}, "Action"),
        (
            {"Demographics": [{"CodedField": "gendr_coded", "Field": "a"}]},
            "'gendr_coded' is no coded field of a demographic or follow-up plan; expected one; nearest: 'gender_coded'",
        ),
        ({"Demographics": [{"CodedField": "rqa_s01e01_coded", "Field": "a"}]}, "is no coded field of a demographic"),
        ({"Contacts": ["advrt"]}, "'advrt' is no name in Contacts; expected one; nearest: 'advert'"),
        ({"Contacts": ["advert", "advert"]}, "'advert' is there twice"),
        ({"Contacts": ["nowhere"]}, "'nowhere' has no To with a Group or Field"),
        (
            {"Withdrawn": {"Group": "advert"}, "Contacts": ["advert"]},
            "$.Contacts[0].To.Group: 'Advert' is also at $.WriteBack.Withdrawn.Group",
        ),
        (
            {"Withdrawn": {"Field": "x"}, "Demographics": [{"CodedField": "gender_coded", "Field": "x"}]},
            "$.WriteBack.Demographics[0].Field: 'x' is also at $.WriteBack.Withdrawn.Field",
        ),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, write_back: Any, said: str):
    with pytest.raises(ConfigurationError) as caught:
        load_project(write(tmp_path, write_back))
    assert said in str(caught.value)


def test_all_is_told_at_once(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"2 problem\(s\)"):
        load_project(write(tmp_path, {"Withdrawn": {}, "Contacts": ["advrt"]}))


@pytest.mark.parametrize(
    ("write_back", "said"),
    [
        ({"NonRelevant": {"Group": "n"}}, "no Withdrawn, so that RapidPro goes on writing to people who withdrew"),
        ({"Withdrawn": {"Group": "stopped", "Block": True}}, "blocked contacts are in no group"),
        ({"Withdrawn": WITHDRAWN}, None),
    ],
)
def test_what_is_odd_is_a_warning(tmp_path: Path, write_back: Any, said: str | None):
    configuration = load_pipeline_configuration(write(tmp_path, write_back))
    texts = [problem.text for problem in find_write_back_warnings(configuration)]
    assert texts == [] if said is None else (len(texts) == 1 and said in texts[0]), json.dumps(texts)
