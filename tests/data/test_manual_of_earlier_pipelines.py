"""Coming from an earlier pipeline: the fold strategies' examples fold as the page says, where it says."""

import json
import re
from pathlib import Path

import pytest

from engagement.configuration import CodeScheme, FoldStrategy, load_project
from engagement.configuration.moved_keys import _EARLIER_NAMES
from engagement.desk.project_import.old_data import decided_differences, preview_notes
from engagement.foundation.errors import ConfigurationError
from engagement.pipeline.coding.labels import Labels, make_pipeline_label
from engagement.pipeline.folding.strategies import LABEL_STRATEGIES, TEXT_STRATEGIES, FoldError
from example_project import Document, make_scheme, write_project
from manual_pages import TEXTS

PAGE = "docs/coming_from_an_earlier_pipeline.md"
REFUSED = "refused"
SCHEME = CodeScheme.model_validate_json(
    json.dumps(make_scheme("answers", ["yes", "no", "ambivalent", "water", "school"]))
)


def rows_between(start: str, end: str) -> list[list[str]]:
    lines = TEXTS[PAGE].partition(start)[2].partition(end)[0].strip().splitlines()[2:]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]


FOLDS = rows_between("<!-- folds -->", "<!-- end of folds -->")


def labels(values: str) -> Labels:
    codes = {code.string_value: code for code in SCHEME.codes}
    return tuple(make_pipeline_label(SCHEME, codes[value]) for value in values.split(", "))


def fold(strategy: FoldStrategy, first: str, second: str) -> str | None:
    try:
        if strategy in TEXT_STRATEGIES:
            return TEXT_STRATEGIES[strategy](first, second)
        folded = LABEL_STRATEGIES[strategy](SCHEME, labels(first), labels(second))[0]
        return ", ".join(label.code.string_value for label in folded)
    except FoldError:
        return REFUSED


def test_every_fold_strategy_has_an_example():
    assert {row[0] for row in FOLDS} == set(FoldStrategy)


@pytest.mark.parametrize(("value", "where", "first", "second", "folded"), FOLDS)
def test_an_example_folds_as_the_page_says(value: str, where: str, first: str, second: str, folded: str):
    assert fold(FoldStrategy(value), first, second) == folded


def accepts(folder: Path, value: str, place: str, mode: str) -> bool:
    """Whether the configuration accepts a strategy at a place of a plan of one coding mode."""

    def change(plans: Document) -> None:
        plan = plans["RQACodingPlans" if mode == "MULTIPLE" else "DemographicCodingPlans"][0]
        (plan if place.startswith("Raw") else plan["CodingConfigurations"][0])[place] = value

    def add_ambivalent(schemes: dict[str, Document]) -> None:
        schemes["gender"] = make_scheme("gender", ["man", "woman", "ambivalent"])

    try:
        load_project(write_project(folder, change_plans=change, change_schemes=add_ambivalent))
    except ConfigurationError:
        return False
    return True


@pytest.mark.parametrize(("value", "where"), sorted({(row[0], row[1]) for row in FOLDS}))
def test_a_strategy_stands_where_the_page_says_and_nowhere_else(tmp_path: Path, value: str, where: str):
    places = {
        "RawFieldFoldStrategy": ("RawFieldFoldStrategy", "SINGLE"),
        "FoldStrategy of SINGLE": ("FoldStrategy", "SINGLE"),
        "FoldStrategy of MULTIPLE": ("FoldStrategy", "MULTIPLE"),
    }
    accepted = [name for name, place in places.items() if accepts(tmp_path, value, *place)]
    assert accepted == [name for name in places if name == where]


def test_every_earlier_name_of_a_key_stands_in_a_table():
    left = " ".join(re.findall(r"^\| ([^|]+) \|", TEXTS[PAGE], re.MULTILINE))
    # Names of the plans are spelled as they were in Python.
    plans = {"RawFieldFoldingMode": "raw_field_folding_mode", "FoldingMode": "folding_mode"}
    assert {name for name in _EARLIER_NAMES if plans.get(name, name) not in left} == set()


def test_every_decided_difference_is_on_the_page():
    # By a word of each: the page says them shorter.
    words = {
        "ZONE": "zone: NA", "FINEST_PLACE": "finest counts", "AGE_RANGE": "below 10 or above 99",
        "NULL_ANSWER": "later empty answer", "UNTICKED": "took off", "UNKNOWN_CODE": "scheme lacks", "OPERATOR": "operator: NC",
        "WRONG_SCHEME": "wrong dataset", "REASONS": "coded reasons", "TWICE": "came out twice", "STOPS": "filtered out or moved",
        "LEFT_OUT": "participants who withdrew",
    }  # fmt: skip
    reasons = {
        name
        for module in (decided_differences, preview_notes)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and " " in value and not name.startswith("_")
    }
    assert reasons == set(words)
    assert {name for name, word in words.items() if word not in TEXTS[PAGE]} == set()
