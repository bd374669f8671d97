"""What people write in answer to demographic questions, and how a careful person reads it.

`cases/<field>.csv` holds invented answers, each with its reason: the rule or fact that it stands for.
"""

import csv
from pathlib import Path

import pytest

from engagement.pipeline.coding.cleaning import find_cleaner

CASES = sorted((Path(__file__).parent / "cases").glob("*.csv"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_answers_are_read_as_a_careful_person_would(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        cases = list(csv.DictReader(file))
    misses = []
    for case in cases:
        found = find_cleaner(f"{case['language']}.{case['field']}")(case["text"])
        if (found or "NC") != case["expected"]:
            misses.append(f"{case['language']}: {case['text']!r} -> {found}, not {case['expected']}: {case['reason']}")
    assert cases
    assert misses == []


def test_every_case_has_a_reason_and_stands_once() -> None:
    for path in CASES:
        with path.open(encoding="utf-8", newline="") as file:
            cases = list(csv.DictReader(file))
        keys = [(case["language"], case["field"], case["text"]) for case in cases]
        assert sorted({key for key in keys if keys.count(key) > 1}) == []
        assert all(case["reason"] and case["field"] == path.stem for case in cases)
