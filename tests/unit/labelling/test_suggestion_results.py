"""What is told of suggestions: in a line for whoever asks, in suggestions.csv, and in the report."""

import json
from pathlib import Path

import pytest

from engagement.analysis.report.suggestions import read_suggestions, tabulate_suggestions
from engagement.analysis.tables.suggestion_results import write_suggestion_results
from engagement.foundation.errors import InputError
from engagement.labelling.suggestions.results import HEADER, read_results

SCHEME = {
    "scheme": "Theme",
    "scheme_id": "Scheme-theme",
    "target": 0.9,
    "labelled": 250,
    "unlabelled": 40,
    "suggested": 0,
    "why_none": "at most 71% would have been right; expected 90%",
    "threshold": None,
    "blind_precision": {"share": 0.6, "low": 0.4812, "high": 0.71},
    "kept_by_coders": {"share": 0.97, "low": 0.94, "high": 0.98},
    "coders_follow": True,
    "few_examples": ["roads", "school"],
}


def write(outputs: Path, *schemes: object) -> Path:
    (outputs / "Suggestions").mkdir(parents=True)
    path = outputs / "Suggestions" / "show.json"
    path.write_text(json.dumps({"dataset": "show", "schemes": list(schemes)}))
    return path


def test_everything_that_an_owner_has_to_know_is_in_the_line(tmp_path: Path):
    write(tmp_path, SCHEME)
    [result] = read_results(tmp_path, ["none", "show"])
    assert result.say() == (
        "show, Theme: 0 of 40 texts suggested; no more, as at most 71% would have been right; expected 90%; right without being "
        "seen: 60.0 % (48.1 to 71.0); kept: 97.0 % (94.0 to 98.0); CODERS FOLLOW: they keep more than they agree with unaided; "
        "too few examples: roads, school"
    )


def test_the_report_has_a_row_a_scheme_and_names_codes_with_few_examples(tmp_path: Path):
    other = {**SCHEME, "scheme": "Other", "blind_precision": None, "kept_by_coders": None, "few_examples": []}
    write(tmp_path, SCHEME, {**other, "coders_follow": False, "why_none": None, "suggested": 30})
    write_suggestion_results(read_results(tmp_path, ["show"]), tmp_path)
    rows = read_suggestions(tmp_path)
    assert [len(row) for row in rows] == [len(HEADER)] * 2
    table = tabulate_suggestions(rows)
    assert table is not None
    assert "show, Theme: too few examples to suggest roads; school." in str(table)
    assert "60.0 % (48.1 to 71.0)" in str(table) and "97.0 % (94.0 to 98.0)" in str(table)


def test_without_suggestions_there_is_no_table(tmp_path: Path):
    write_suggestion_results(read_results(tmp_path, ["show"]), tmp_path)
    assert not (tmp_path / "suggestions.csv").exists()
    assert tabulate_suggestions(read_suggestions(tmp_path)) is None


@pytest.mark.parametrize(
    "content", ["[]", '{"dataset": "show", "schemes": [{}]}', "{", '{"dataset": "show", "schemes": 3}']
)
def test_a_damaged_file_is_named(tmp_path: Path, content: str):
    write(tmp_path).write_text(content)
    with pytest.raises(InputError, match=r"show.json.*\n?.*Run stage 3 again"):
        read_results(tmp_path, ["show"])
