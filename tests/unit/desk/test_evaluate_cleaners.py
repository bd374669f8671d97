"""The command that measures the cleaners on people's own coded answers."""

import argparse
from pathlib import Path

import pytest

from engagement.desk import evaluate_cleaners
from engagement.foundation.errors import InputError, UsageError

HEADING = "language,field,text,expected\n"


def evaluate(path: Path, *options: str) -> None:
    parser = argparse.ArgumentParser()
    evaluate_cleaners.add_arguments(parser)
    evaluate_cleaners.run(parser.parse_args([str(path), *options]))


@pytest.fixture
def write(tmp_path: Path):
    def write_cases(text: str) -> Path:
        path = tmp_path / "coded answers.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write_cases


def test_precision_recall_and_f1_are_printed_by_cleaner(write, capsys: pytest.CaptureFixture[str]) -> None:
    # Three of gender are expected; the cleaner gives three, of which the one of "naag" is not what was expected.
    rows = (
        "somali,gender,nin,man\nsomali,gender,naag,man\nsomali,gender,wiil,man\nsomali,gender,haa,\nenglish,age,22,NC\n"
    )
    evaluate(write(HEADING + rows))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["cleaner", "cases", "precision", "recall", "F1"]
    assert lines[1:] == [
        ["english.age", "1", "0.000", "1.000", "0.000"],
        ["somali.gender", "4", "0.667", "0.667", "0.667"],
        ["all", "5", "0.500", "0.667", "0.571"],
    ]


def test_misses_are_listed_only_when_asked_for(write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(HEADING + "somali,gender,naag,man\nsomali,yes_no,haa,yes\n")
    evaluate(path)
    assert "naag" not in capsys.readouterr().out
    evaluate(path, "--misses")
    assert "row 2, somali.gender: 'naag' was read as woman; expected man" in capsys.readouterr().out


def test_a_quoted_answer_may_span_lines_and_a_byte_order_mark_is_skipped(
    write, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate(write("\ufeff" + HEADING + 'somali,gender,"nin\n\u2028weyn",man\n'))
    assert "somali.gender" in capsys.readouterr().out


def test_an_answer_keeps_its_own_line_ends(write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(HEADING)
    path.write_bytes(HEADING.encode() + b'somali,gender,"nin\rweyn",woman\n')
    evaluate(path, "--misses")
    assert r"'nin\rweyn' was read as" in capsys.readouterr().out


def test_all_problems_are_reported_at_once_by_row_and_column(write) -> None:
    rows = "somali,gender,nin,man\nsomali,colour,red,red\nitalian,gender,uomo,man\nsomali,county,x,\nsomali,gender,x,boy\nsomali\n"
    with pytest.raises(InputError) as error:
        evaluate(write(HEADING + rows))
    text = str(error.value)
    assert "5 problem(s)" in text
    assert "row 3, column field: 'colour'; expected one of age, constituency" in text
    assert "row 4, column language: 'italian'; expected one of english, somali, swahili for gender" in text
    assert "row 5, column language: 'somali'; expected one of english, swahili for county" in text
    assert "row 6, column expected: 'boy'; expected one of man, woman, or nothing" in text
    assert "row 7, column field: missing; expected 4 columns" in text


def test_answers_are_never_in_an_error(write) -> None:
    with pytest.raises(InputError) as error:
        evaluate(write(HEADING + "somali,gender,secret answer,boy\n"))
    assert "secret" not in str(error.value)


def test_wrong_columns_are_named(write) -> None:
    with pytest.raises(
        InputError, match="row 1: found text, code; expected the columns language, field, text, expected"
    ):
        evaluate(write("text,code\nnin,man\n"))


def test_an_empty_file_is_an_input_error(write) -> None:
    with pytest.raises(InputError, match="row 1: found nothing"):
        evaluate(write(""))


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        evaluate(tmp_path / "none.csv")
