"""Codes that read like a control code or like each other: refused in a sheet, told by check."""

import json
from pathlib import Path

import pytest

from checked_project import make_scheme, scheme, write_small_project
from engagement.__main__ import main
from engagement.configuration import CodeScheme
from engagement.labelling.code_books.look_alikes import find_look_alikes
from engagement.labelling.code_books.scheme_files import read_scheme


def look(**change: object) -> list[tuple[str, str, str]]:
    """The look-alikes of a scheme whose first code is changed: field, name, what it reads like."""
    document = make_scheme("gender", {"man": ["man"], "woman": ["woman"]})
    document["Codes"][0] |= change
    found = find_look_alikes(CodeScheme.model_validate_json(json.dumps(document)).codes)
    return [(each.field, each.name, str(each.control or each.other)) for each in found if each.position < 2]


META = {"CodeType": "Meta", "MetaCode": "m"}
# A change of the code, and what it is taken for.
CASES = [
    ("as it is", {}, []),
    ("another case", {"DisplayText": "Stop"}, [("DisplayText", "Stop", "STOP")]),
    ("blanks and punctuation", {"DisplayText": " s.t.o.p! "}, [("DisplayText", " s.t.o.p! ", "STOP")]),
    ("full-width letters", {"DisplayText": "ＳＴＯＰ"}, [("DisplayText", "ＳＴＯＰ", "STOP")]),
    ("in the outputs alone", {"StringValue": "stop"}, [("StringValue", "stop", "STOP")]),
    ("a match value", {"MatchValues": ["man", "n/a"]}, [("MatchValues", "n/a", "NA")]),
    ("told once", {"DisplayText": "Stop", "StringValue": "stop"}, [("DisplayText", "Stop", "STOP")]),
    ("what it stands for", {"DisplayText": "Withdrew consent"}, [("DisplayText", "Withdrew consent", "STOP")]),
    ("its usual display text", {"DisplayText": "NC - not coded"}, [("DisplayText", "NC - not coded", "NC")]),
    # the scheme has none of these, and Coda's coders know them all the same
    ("of a control code that is not there", {"DisplayText": "Skipped"}, [("DisplayText", "Skipped", "NS")]),
    ("a Meta code", {**META, "DisplayText": "wrong scheme"}, [("DisplayText", "wrong scheme", "WS")]),
    ("part of a longer name", {"DisplayText": "stop fighting", "StringValue": "stop_fighting"}, []),
    ("no letters at all", {"DisplayText": "--"}, []),
    ("like another code", {"DisplayText": "WOMAN "}, [("DisplayText", "woman", "0")]),
    ("a Meta code like another code", {**META, "DisplayText": "Woman"}, [("DisplayText", "woman", "0")]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_what_reads_like_another_code_is_found(change, expected):
    assert look(**change) == expected


def test_the_display_texts_of_the_schemes_own_control_codes_count():
    document = make_scheme("gender", {"man": [], "woman": []})
    document["Codes"][2] |= {"DisplayText": "ma jirto"}  # NA, in the coders' language
    document["Codes"][1] |= {"DisplayText": "Ma Jirto"}
    (found,) = find_look_alikes(CodeScheme.model_validate_json(json.dumps(document)).codes)
    assert (found.position, str(found.control)) == (1, "NA")


# Rows of a sheet, and what is said of it.
SHEETS = [
    ("Stop", "row 2, column 'Label': 'Stop' looks like the control code STOP, but would be another code: whoever is labelled with "
             "it is not withdrawn; expected a name that can't be taken for it. Write STOP if it is that, or another name."),
    ("not coded", "'not coded' looks like the control code NC, but would be another code: its answers count as answers"),
    ("Wrong  Scheme", "no answer that is labelled with it moves"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "said"), SHEETS)
def test_a_row_that_reads_like_a_control_code_is_refused(tmp_path: Path, capsys, name, said):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(f"Label\n{name}\nwater\n")
    assert main(["scheme", "from-csv", str(sheet)]) == 11
    assert said in " ".join(capsys.readouterr().err.split())
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.csv"]


def test_a_row_that_is_the_control_code_stays_one(tmp_path: Path):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("Label,Control code\nSTOP,\nMa jirto,NA\nNot coded,nc\n")
    assert main(["scheme", "from-csv", str(sheet)]) == 0
    codes = read_scheme(tmp_path / "sheet.json").codes[:3]
    assert [str(code.control_code) for code in codes] == ["STOP", "NA", "NC"]


def test_rows_that_read_alike_are_warned_of(tmp_path: Path, caplog):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("Label,String value\nClean water,water\nclean-water,water_2\n")
    assert main(["scheme", "from-csv", str(sheet)]) == 0
    assert "row 3, column 'Label': coders see 'clean-water', as in row 2, column 'Label'" in caplog.text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("DisplayText", "Stop", "at $.Codes[0].DisplayText: 'Stop' reads like the control code 'STOP', but is a Normal code, so "
         "that whoever is labelled with it is not withdrawn; expected a name that can't be taken for it. Have coders use 'STOP' "
         "and hide this code (VisibleInCoda false), or rename it if it means something else; its labels stay."),
        ("MatchValues", ["na"], "'na' reads like the control code 'NA'"),
        ("DisplayText", "School", "at $.Codes[1].DisplayText: coders see 'school' at $.Codes[0] too; expected a name of its own."),
    ],
)  # fmt: skip
def test_check_warns_of_them(tmp_path: Path, capsys, field, value, said):
    path = write_small_project(tmp_path)
    scheme("episode", f"$.Codes[0].{field}", value).apply(tmp_path)
    assert main(["check", str(path)]) == 0
    (line, _) = capsys.readouterr().out.splitlines()
    assert said in line
