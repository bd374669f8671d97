"""Explanations tell the rules that decide: where a rule changes, they tell the changed one without a change of their own."""

import json
from pathlib import Path
from typing import Any

import pytest

from engagement.configuration import ControlCode, control_codes, load_project
from engagement.desk.explanations import story
from engagement.desk.explanations.story import tell_story
from engagement.pipeline.coding import imputation, labels, locations, yes_no_reasons
from engagement.pipeline.coding.cleaning.places import PlaceTable, somali_places
from engagement.pipeline.folding import strategies
from example_project import (
    DataRoot,
    Document,
    coda_message,
    episode_run,
    label,
    make_scheme,
    survey_run,
    uid_of,
    write_project,
)


def told(root: DataRoot, column: str, kind: str) -> list[str]:
    """What the steps of one kind say of participant "a"."""
    found = tell_story(load_project(root.configuration), root.path, uid_of("a"), column)
    return [step.says for section in found.sections for step in section.steps if step.kind == kind]


def use_strategy(strategy: str):
    def change(plans: Document) -> None:
        plans["RQACodingPlans"][0]["CodingConfigurations"] = [
            {
                "CodeScheme": "gender.json",
                "CodedField": "rqa_s01e01_coded",
                "AnalysisFileKey": "rqa_s01e01",
                "CodingMode": "SINGLE",
                "FoldStrategy": strategy,
            }
        ]

    return change


def with_more_codes(schemes: dict[str, Document]) -> None:
    schemes["gender"] = make_scheme(
        "gender", ["man", "woman", "ambivalent"], ["NA", "NC", "NR", "CE", "NIC", "STOP", "WS"]
    )


@pytest.fixture
def folded(tmp_path: Path, request: pytest.FixtureRequest) -> DataRoot:
    """Two messages of one participant, not reviewed and inconsistent, in a field of the strategy that the test names."""
    root = DataRoot(
        tmp_path, write_project(tmp_path / "configuration", None, use_strategy(request.param), with_more_codes)
    )
    root.write_runs(episode_run("a", "cusub"), episode_run("a", "labo", time="2026-04-03T10:00:00+03:00"))
    root.write_coded("s01e01", coda_message("labo", label("gender", "NIC")))
    root.generate()
    return root


@pytest.mark.parametrize("folded", ["control_code_by_precedence", "yes_no_amb"], indirect=True)
def test_another_precedence_of_control_codes_is_told(folded: DataRoot, monkeypatch: pytest.MonkeyPatch):
    (before,) = told(folded, "rqa_s01e01", "folding")
    assert "comes first in STOP, CE, NR, NIC, NC," in before
    assert before.endswith("that makes 'NR' (not reviewed by a coder yet).")
    first = [ControlCode.NIC, *(code for code in control_codes.CONTROL_CODES if code is not ControlCode.NIC)]
    monkeypatch.setattr(control_codes, "CONTROL_CODES", {code: control_codes.CONTROL_CODES[code] for code in first})
    (after,) = told(folded, "rqa_s01e01", "folding")
    assert "comes first in NIC, STOP, CE, NR, NC," in after
    assert "that makes 'NIC' (not internally consistent). Outputs have 'NR'" in after


@pytest.mark.parametrize("folded", ["control_code_by_precedence"], indirect=True)
def test_another_strategy_behind_a_name_is_told(folded: DataRoot, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "engagement.pipeline.folding.fold.LABEL_STRATEGIES",
        {**strategies.LABEL_STRATEGIES, "control_code_by_precedence": strategies.LABEL_STRATEGIES["list_of_labels"]},
    )
    (after,) = told(folded, "rqa_s01e01", "folding")
    assert "every code of any message" in after


def test_codes_that_give_way_in_another_order_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = DataRoot(tmp_path)
    root.write_runs(episode_run("a", ""), episode_run("a", "rajo", 2))
    root.generate()
    (before,) = told(root, "rqa_s01e01_NC", "folding")
    assert "NA and NC stay only where there is nothing else) that makes 'NC'" in before
    monkeypatch.setattr(strategies, "GIVING_WAY", (ControlCode.NC, ControlCode.NA))
    (after,) = told(root, "rqa_s01e01_NC", "folding")
    assert "NC and NA stay only where there is nothing else) that makes 'NA' (no answer). Outputs have 'NC'" in after


# Two messages, the cases that decide how they fold, and the words for them.
FOLDS = [
    ("yes_no_amb", ["man", "woman"], "(codes that differ make 'ambivalent')"),
    ("yes_no_amb", ["man", None], "(a control code gives way)"),
    ("yes_no_amb", ["man", "man"], "(values that are the same stay)"),
    ("yes_no_amb", ["man", None, "woman"], "(a control code gives way and codes that differ make 'ambivalent')"),
    ("yes_no_amb", ["man"], "(there is one message only)"),
    ("assert_label_ids_equal", ["man", "man"], "(all messages have to have the same code, and have)"),
]


@pytest.mark.parametrize(("strategy", "codes", "words"), FOLDS)
def test_the_case_that_decided_a_fold_is_told(tmp_path: Path, strategy: str, codes: list[str | None], words: str):
    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", None, use_strategy(strategy), with_more_codes))
    texts = [f"jawaab {number}" for number in range(len(codes))]
    root.write_runs(
        *(episode_run("a", text, time=f"2026-04-0{day}T10:00:00+03:00") for day, text in enumerate(texts, 2))
    )
    root.write_coded(
        "s01e01",
        *(
            coda_message(text, label("gender", code))
            for text, code in zip(texts, codes, strict=True)
            if code is not None
        ),
    )
    root.generate()
    (says,) = told(root, "rqa_s01e01", "folding")
    assert words in says


def write_place(root: DataRoot) -> None:
    root.write_runs(episode_run("a", "biyo"), survey_run("a", location="baydhabo"))
    root.write_coded("location", coda_message("baydhabo", label("district", "baidoa")))
    root.generate()


def test_another_hierarchy_of_places_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = DataRoot(tmp_path)
    write_place(root)
    assert "the finest place counts, and it lies in 'bay': 'bay'." in told(root, "region", "imputation")[0]
    places = somali_places()
    parents = {**places.parents, "district": {**places.parents["district"], "baidoa": "banadir"}}
    monkeypatch.setattr(locations, "somali_places", lambda: PlaceTable(places.levels, parents, places.shared_names))
    (after,) = told(root, "region", "imputation")
    assert "the finest place counts, and it lies in 'banadir': 'banadir'. Outputs have 'bay'" in after


def test_other_codes_that_say_nothing_beside_reasons_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def ask(plans: Document) -> None:
        plan = plans["RQACodingPlans"][0]
        plan["CodeImputationFunction"] = "yes_no_reasons"
        single = {"CodeScheme": "yes_no.json", "CodedField": "yes_no_coded", "AnalysisFileKey": "yes_no",
                  "CodingMode": "SINGLE", "FoldStrategy": "yes_no_amb"}  # fmt: skip
        plan["CodingConfigurations"].insert(0, single)

    def add(schemes: dict[str, Document]) -> None:
        schemes["yes_no"] = make_scheme("yes_no", ["yes", "no", "ambivalent"])
        schemes["episode1"] = make_scheme("episode1", ["yes_near", "no_far", "other"])

    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", None, ask, add))
    root.write_runs(episode_run("a", "dhow"))
    root.write_coded("s01e01", coda_message("dhow", label("yes_no", "NC"), label("episode1", "yes_near")))
    root.generate()
    assert "yes or no follows from the reasons: 'yes'." in told(root, "yes_no", "imputation")[0]
    monkeypatch.setattr(yes_no_reasons, "_SILENT", (ControlCode.NR,))
    assert told(root, "yes_no", "imputation") == []


def test_another_code_that_withdraws_consent_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = DataRoot(tmp_path)
    root.write_runs(episode_run("a", "jooji"), survey_run("a", gender="naag"))
    root.write_coded("gender", coda_message("naag", label("gender", "NIC")))
    root.generate()
    (before,) = told(root, "consent_withdrawn", "consent")
    assert before.startswith(
        "No coder had labelled any answer of theirs STOP (consent withdrawn) when Outputs were made"
    )
    monkeypatch.setattr(labels, "WITHDRAWING", (ControlCode.NIC,))
    (after,) = told(root, "consent_withdrawn", "consent")
    assert after.startswith(
        "A coder has labelled an answer to 'gender_raw' NIC (not internally consistent) since Outputs"
    )


def test_a_stop_that_came_since_is_told(tmp_path: Path):
    root = DataRoot(tmp_path)
    root.write_runs(episode_run("a", "jooji"))
    root.generate()
    root.write_coded("s01e01", coda_message("jooji", label("episode1", "STOP")))
    assert (
        "The next run of stage 3 takes everything of the participant out"
        in told(root, "consent_withdrawn", "consent")[0]
    )


def test_a_contradiction_that_coda_no_longer_has_is_told_of_as_past(tmp_path: Path):
    root = DataRoot(tmp_path)
    root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="naag", age="24"))
    root.write_coded("gender", coda_message("naag", label("gender", "woman"), label("ws", "age")))
    root.write_coded("age", coda_message("24", label("age", "24"), label("ws", "gender")))
    root.generate()
    assert "named 'age' as the dataset it belongs to" in told(root, "gender", "imputation")[0]
    root.write_coded("gender", coda_message("naag", label("gender", "woman")))
    root.write_coded("age", coda_message("24", label("age", "24")))
    for column in ("gender", "age"):  # one without and one with an imputation function
        (says,) = [says for says in told(root, column, "imputation") if "CE" in says]
        assert says.startswith("When Outputs were made, its labels said wrong scheme in one place and not in the other")


def test_facts_for_programs_stay_those_of_the_labels(tmp_path: Path):
    root = DataRoot(tmp_path)
    write_place(root)
    document: dict[str, Any] = tell_story(load_project(root.configuration), root.path, uid_of("a"), "region").document()
    (step,) = [s for section in document["sections"] for s in section["steps"] if s["step"] == "imputation"]
    assert step["rule"] == "somalia_location"
    assert [(given["field"], given["CodeID"]) for given in step["labels_from_coders"]] == [
        ("district_coded", "district-baidoa")
    ]
    json.dumps(document)


def test_explanations_name_no_imputation_function():
    # What a function's reasons are about is said beside the function.
    folder = Path(story.__file__).parent
    sources = "".join(path.read_text() for path in folder.glob("*.py"))
    assert [name for name in imputation.IMPUTATIONS if name in sources] == []
