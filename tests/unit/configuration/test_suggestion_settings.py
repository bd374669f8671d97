"""The key Suggestions: true or settings, and where there can be none."""

from pathlib import Path

import pytest

from engagement.configuration import load_project
from engagement.configuration.suggestion_settings import Suggestions
from engagement.foundation.errors import ConfigurationError
from example_project import Document, make_scheme, write_project


def project_with(folder: Path, value: object, **more: object) -> Path:
    def change(document: Document) -> None:
        configuration = document["RQACodingPlans"][0]["CodingConfigurations"][0]
        configuration["Suggestions"] = value
        configuration.update({name: item for name, item in more.items() if name == "InCoda"})
        if "CodaFilename" in more:
            del document["RQACodingPlans"][0]["CodaFilename"]

    def change_schemes(schemes: dict[str, Document]) -> None:
        if "controls_only" in more:
            scheme = make_scheme("episode1", [])
            schemes["episode1"] = {**scheme, "Codes": [code for code in scheme["Codes"] if "ControlCode" in code]}

    return write_project(folder, change_plans=change, change_schemes=change_schemes)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, Suggestions()),
        ({}, Suggestions()),
        ({"Precision": 0.95, "BlindShare": 0.2}, Suggestions(Precision=0.95, BlindShare=0.2)),
        (None, None),
    ],
)
def test_true_stands_for_the_usual_settings(tmp_path: Path, value: object, expected: Suggestions | None):
    plans = load_project(project_with(tmp_path, value)).coding_plans
    assert plans.rqa[0].coding_configurations[0].suggestions == expected
    assert plans.rqa[1].coding_configurations[0].suggestions is None


@pytest.mark.parametrize(
    ("value", "more", "said"),
    [
        (False, {}, "Suggestions"),
        ("yes", {}, "Suggestions"),
        ({"Precison": 0.9}, {}, "Precison"),
        ({"Precision": 1}, {}, "Precision"),
        ({"MinimumLabelled": 5}, {}, "MinimumLabelled"),
        ({"BlindShare": 0}, {}, "BlindShare"),
        (True, {"CodaFilename": None}, "the plan has no CodaFilename"),
        (True, {"InCoda": False}, "InCoda is false"),
        (True, {"controls_only": True}, "only control codes, which are never suggested"),
    ],
)
def test_what_can_not_be_is_said(tmp_path: Path, value: object, more: dict[str, object], said: str):
    with pytest.raises(ConfigurationError) as error:
        load_project(project_with(tmp_path, value, **more))
    assert said in str(error.value)
    assert "RQACodingPlans[0].CodingConfigurations[0].Suggestions" in str(error.value)
