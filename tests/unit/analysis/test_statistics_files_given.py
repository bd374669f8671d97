"""The calendar and the margins as people write them."""

from pathlib import Path

import pytest

from engagement.analysis.statistics.given_files import read_calendar, read_margins
from engagement.foundation.errors import ConfigurationError

VALUES = {"gender": ("man", "woman"), "region": ("bay", "gedo")}


def written(folder: Path, text: str) -> Path:
    path = folder / "given.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_calendar_may_have_a_mark_spaces_empty_rows_and_other_columns(tmp_path):
    path = written(
        tmp_path,
        "\ufeffKind, Start ,Episode,Station,Note\nbroadcast,2026-04-05T19:30:00+03:00,s01e01, Radio ,x\n,,,,\nadvert,2026-04-06T24:00:00Z,,\n",
    )
    first, second = read_calendar(path)
    assert (first.start.isoformat(), first.kind, first.episode, first.station) == (
        "2026-04-05T19:30:00+03:00", "broadcast", "s01e01", "Radio",
    )  # fmt: skip
    assert (second.start.isoformat(), second.station) == ("2026-04-07T00:00:00+00:00", "")


def test_all_problems_of_a_calendar_are_told_with_their_lines(tmp_path):
    path = written(
        tmp_path,
        "Start,Kind,Episode,Station\n2026-04-05,broadcast,,\n2026-04-05T19:30:00,advert,,\n2026-04-05T19:30:00Z,,,\n",
    )
    with pytest.raises(ConfigurationError) as refused:
        read_calendar(path)
    lines = str(refused.value).splitlines()
    assert lines[0].endswith("given.csv: 3 problem(s):")
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["line 2", "line 3", "line 4"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("gendr,man,1\n", "line 2: no demographic has the AnalysisFileKey 'gendr'; nearest: 'gender'."),
        ("gender,men,1\n", "line 2: 'gender' has no value 'men'; nearest: 'man'."),
        ("gender,man,49 %\ngender,woman,0.5\n", "line 2: share is '49 %'; expected a number above 0, up to 1."),
        ("gender,man,49\n", "line 2: share is '49'"),
        ("gender,man,nan\n", "line 2: share is 'nan'"),
        ("gender,man,0.5\ngender,man,0.5\n", "line 3: 'man' of 'gender' is there twice"),
        ("gender,man,0.5\ngender,woman,0.4\n", "the shares of 'gender' add up to 0.9; expected 1."),
        ("", "no rows"),
    ],
)
def test_margins_that_are_wrong_are_told(tmp_path, rows, told):
    with pytest.raises(ConfigurationError, match="problem") as refused:
        read_margins(written(tmp_path, f"variable,value,share\n{rows}"), VALUES)
    assert told in str(refused.value)


def test_margins_by_variable(tmp_path):
    path = written(tmp_path, "variable,value,share\ngender,man,0.49\nregion,bay,1\ngender,woman,0.51\n")
    assert read_margins(path, VALUES) == {"gender": {"man": 0.49, "woman": 0.51}, "region": {"bay": 1.0}}


@pytest.mark.parametrize("content", [b"a,b\n", b"\xff\xfe", b'variable,value,share\n"x', b""])
def test_a_file_that_is_no_such_table_is_told(tmp_path, content):
    path = tmp_path / "given.csv"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="expected CSV in UTF-8 with the columns variable, value, share"):
        read_margins(path, VALUES)
