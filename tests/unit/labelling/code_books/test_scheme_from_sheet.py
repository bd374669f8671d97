"""Spreadsheets of codes become code schemes; the sheets are invented."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engagement.__main__ import main
from engagement.configuration.code_schemes import load_code_scheme
from engagement.labelling.code_books.building import NewCode, build_scheme
from engagement.labelling.code_books.scheme_files import scheme_document
from engagement.labelling.code_books.spreadsheet import make_string_value
from property_examples import examples

SHEET = """\
Label;String value;Numeric value;Match values;Shortcut;Colour;Visible in Coda;Code type;Meta code;Notes
Water is far away;far_water;7;"biyo fog; far
water";w;#b5d3ff;yes;;;said by many
Price;price;;;;;no;Normal;;
Greeting;hello;;;;;;Meta;greeting;
Nothing fits;NC;;;;;;;;
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8-sig")
    return path


def make(sheet: Path, *options: str) -> int:
    return main(["scheme", "from-csv", str(sheet), *options])


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def codes(path: Path) -> dict[str, dict]:
    return {code["StringValue"]: code for code in read(path)["Codes"]}


def test_every_column_arrives_in_the_scheme(tmp_path):
    sheet = write(tmp_path / "s01e01_water.csv", SHEET)
    assert make(sheet) == 0
    scheme, problems = load_code_scheme(tmp_path / "s01e01_water.json")
    assert problems == []
    assert scheme.name == "s01e01 water"
    far, price, greeting, nothing = scheme_document(scheme)["Codes"][:4]
    assert far == {
        "CodeID": far["CodeID"],
        "CodeType": "Normal",
        "DisplayText": "Water is far away",
        "Shortcut": "w",
        "NumericValue": 7,
        "StringValue": "far_water",
        "VisibleInCoda": True,
        "Color": "#b5d3ff",
        "MatchValues": ["biyo fog", "far", "water"],
    }
    assert (price["NumericValue"], price["VisibleInCoda"]) == (8, False)
    assert (greeting["CodeType"], greeting["MetaCode"], greeting["StringValue"]) == ("Meta", "greeting", "hello")
    # It is that control code, and is not added again.
    assert (nothing["CodeType"], nothing["ControlCode"], nothing["NumericValue"]) == ("Control", "NC", -30)
    controls = [code.control_code for code in scheme.codes if code.control_code]
    assert sorted(controls) == ["CE", "NA", "NC", "NIC", "NR", "NS", "STOP", "WS"]


def test_one_column_of_names_is_enough(tmp_path):
    sheet = write(tmp_path / "themes.csv", "Theme\nPrice of water (high)\nNC\nIsbitaal\n")
    assert make(sheet, "--control-codes", "NA,nc") == 0
    found = codes(tmp_path / "themes.json")
    assert [*found] == ["price_of_water_high", "NC", "isbitaal", "NA"]
    assert found["NC"]["ControlCode"] == "NC"


def test_meta_codes_are_added_when_asked_for(tmp_path):
    sheet = write(tmp_path / "themes.csv", "Theme\nwater\n")
    assert make(sheet, "--meta-codes") == 0
    assert codes(tmp_path / "themes.json")["gratitude"]["MetaCode"] == "gratitude"


def test_the_same_sheet_gives_the_same_ids_anywhere(tmp_path):
    first, second = tmp_path / "a" / "x.csv", tmp_path / "b" / "x.csv"
    for sheet in (first, second):
        sheet.parent.mkdir()
        make(write(sheet, SHEET))
    assert first.with_suffix(".json").read_bytes() == second.with_suffix(".json").read_bytes()
    make(first)  # what is there already changes nothing either
    assert first.with_suffix(".json").read_bytes() == second.with_suffix(".json").read_bytes()


def test_a_longer_sheet_keeps_ids_numbers_and_all_that_it_does_not_speak_of(tmp_path, caplog):
    sheet = write(tmp_path / "x.csv", SHEET)
    make(sheet)
    before = codes(tmp_path / "x.json")
    write(sheet, "String value,Label\nnew_theme,New\nprice,Price\nfar_water,Far away\n")
    assert make(sheet) == 0
    after = codes(tmp_path / "x.json")
    assert after["far_water"] == before["far_water"] | {"DisplayText": "Far away"}
    assert after["price"] == before["price"]
    assert after["new_theme"]["NumericValue"] == 9
    assert [*after][:3] == ["new_theme", "price", "far_water"]
    # Codes about the coding and meta codes need not be in a sheet of themes.
    assert {name: after[name] for name in ("NC", "hello", "WS")} == {
        name: before[name] for name in ("NC", "hello", "WS")
    }
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_an_empty_cell_takes_away_and_an_absent_column_does_not(tmp_path):
    sheet = write(tmp_path / "x.csv", "Theme,Code,Shortcut,Synonyms\nWater,water,w,biyo\n")
    make(sheet)
    write(sheet, "Theme,Code,Shortcut\nWater,water,\n")
    make(sheet)
    water = codes(tmp_path / "x.json")["water"]
    assert "Shortcut" not in water
    assert water["MatchValues"] == ["biyo"]


def test_a_renamed_code_keeps_its_id_by_the_id_column(tmp_path, caplog):
    sheet = write(tmp_path / "x.csv", "Theme\nwater\nschool\n")
    make(sheet)
    water = codes(tmp_path / "x.json")["water"]
    write(sheet, f"Theme,Code id\nclean water,{water['CodeID']}\n")
    assert make(sheet) == 0
    after = codes(tmp_path / "x.json")
    assert after["clean_water"]["CodeID"] == water["CodeID"]
    assert "school" not in after
    assert "1 code(s)" in caplog.text
    assert "are gone: school" in caplog.text


def test_ids_come_from_the_existing_scheme_that_is_named(tmp_path):
    existing = tmp_path / "old.json"
    old = scheme_document(build_scheme("Old", [NewCode("water", "water", code_id="code-of-old", numeric_value=40)]))
    existing.write_text(json.dumps(old | {"Version": "0.0.0.7"}))
    sheet = write(tmp_path / "x.csv", "Theme\nwater\n")
    assert make(sheet, "--existing", str(existing), "--output", str(tmp_path / "new" / "y.json")) == 0
    new = read(tmp_path / "new" / "y.json")
    assert (new["SchemeID"], new["Name"], new["Version"]) == (old["SchemeID"], "Old", "0.0.0.7")
    assert (new["Codes"][0]["CodeID"], new["Codes"][0]["NumericValue"]) == ("code-of-old", 40)
    assert read(existing)["Codes"] == old["Codes"]


BAD_SHEETS = {
    "nothing but a heading": ("Theme\n", ["no row under the heading; expected one per code. Add them."]),
    "no name of codes": (
        "Shortcut\nw\n",
        ["row 1: no column 'display text' and none 'string value'; expected one of them. Add it."],
    ),
    "a column twice": (
        "Theme,Label\nx,y\n",
        ["row 1, column 2: 'Label' is the display text, like 'Theme'; expected one column. Remove one."],
    ),
    "a column that nobody knows": (
        "Theme,Shortcutt\nx,y\n",
        [
            "row 1, column 2: 'Shortcutt' is not a column of codes; nearest: 'shortcut'. Rename it, or pass "
            "--ignore-other-columns."
        ],
    ),
    "every cell wrong, all told at once": (
        "Theme,Number,Shortcut,Colour,Visible,Type,Control\n"
        "water,1.5,ww,#12,maybe,Thema,XX\n"
        ",,w,,,,\n"
        "greeting,,,,,Control,\n",
        [
            "row 2, column 'Control': 'XX'; expected one of STOP, CE, NR, NIC, NC, DELETED, NA, NS, WS, NOC. Correct the cell.",
            "row 2, column 'Type': 'Thema'; expected 'Normal' or 'Control' or 'Meta'. Correct the cell.",
            "row 2, column 'Number': '1.5'; expected a whole number. Correct the cell.",
            "row 2, column 'Shortcut': 'ww'; expected one character. Correct the cell.",
            "row 2, column 'Visible': 'maybe'; expected 'yes' or 'no'. Correct the cell.",
            "row 2, column 'Colour': '#12'; expected a colour like '#b5d3ff' or 'lightblue'. Correct the cell.",
            "row 3: no display text and no string value; expected one. Add it.",
            "row 4, column 'Type': 'Control', but it is a Normal code by its other cells. Change one.",
        ],
    ),
    "a name without a letter": (
        "Theme\n???\n",
        ["row 2, column 'Theme': '???' has no letter or digit; expected some, or a string value. Add it."],
    ),
    "a control code and a meta code in one": (
        "Theme,Control,Meta\nx,NC,greeting\n",
        ["row 2: both a control code and a meta code; expected one. Remove one."],
    ),
    "values that only one code may have": (
        "Theme,Number,Matches,Key\nwater,1,biyo,w\nWater!,1,biyo,w\n",
        [
            "row 3: string value 'water' is also that of row 2; expected to be unique within the scheme. Change one.",
            "row 3, column 'Number': numeric value 1 is also that of row 2, column 'Number'; expected to be unique within "
            "the scheme. Change one.",
            "row 3, column 'Matches': match values 'biyo' is also that of row 2, column 'Matches'; expected to be unique "
            "within the scheme. Change one.",
            "row 3, column 'Key': shortcut 'w' is also that of row 2, column 'Key'; expected to be unique within the "
            "scheme. Change one.",
        ],
    ),
    "an id twice": (
        "Theme,id\nwater,code-1\nschool,code-1\n",
        [
            "row 3, column 'id': code id 'code-1' is also that of row 2, column 'id'; expected to be unique within the "
            "scheme. Keep it on the code that has its labels, and empty the other cell."
        ],
    ),
    "a number that an added control code has as well": (
        # The usual number of a code that is added gives way, so that this is no problem but for the one below.
        "Theme,Number,Type\nwater,-10,\nNR,-40,\nNR again,-40,\n",
        [
            "row 4, column 'Number': numeric value -40 is also that of row 3, column 'Number'; expected to be unique "
            "within the scheme. Change one."
        ],
    ),
}


@pytest.mark.parametrize("name", BAD_SHEETS)
def test_a_bad_sheet_is_refused_by_row_and_column_and_nothing_is_written(tmp_path, capsys, name):
    text, expected = BAD_SHEETS[name]
    sheet = write(tmp_path / "x.csv", text)
    assert make(sheet) == 11
    error = capsys.readouterr().err
    lines = [line.strip() for line in error.splitlines() if line.startswith("  ")]
    assert lines == expected if lines else expected[0] in error
    assert not (tmp_path / "x.json").exists()


def test_columns_for_people_and_others_can_be_passed_over(tmp_path):
    sheet = write(tmp_path / "x.csv", "Theme,Examples,Whoever\nwater,biyo,z\n")
    assert make(sheet) == 11
    assert make(sheet, "--ignore-other-columns") == 0


def test_an_existing_scheme_that_is_broken_is_a_configuration_error(tmp_path, capsys):
    (tmp_path / "x.json").write_text("{}")
    assert make(write(tmp_path / "x.csv", "Theme\nwater\n")) == 10
    assert "SchemeID" in capsys.readouterr().err
    assert make(tmp_path / "none.csv") == 2


names = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=20).filter(
    make_string_value
)
sheets_of_names = st.lists(names, min_size=1, max_size=12, unique_by=make_string_value)


@settings(max_examples=examples(40))
@given(sheets_of_names, sheets_of_names)
def test_any_names_make_a_valid_scheme_and_more_names_change_no_id(tmp_path_factory, first, more):
    folder = tmp_path_factory.mktemp("sheets")
    sheet, output = folder / "x.csv", folder / "x.json"

    def save(themes):
        buffer = io.StringIO()
        csv.writer(buffer).writerows([["Theme", "Type"], *([theme, "Normal"] for theme in themes)])
        write(sheet, buffer.getvalue())

    controls = {"stop", "deleted", "na", "ns", "nic", "ce", "nr", "nc", "ws", "noc"}
    first = [theme for theme in first if make_string_value(theme) not in controls] or ["water"]
    values = set(map(make_string_value, first))
    more = [theme for theme in more if make_string_value(theme) not in values | controls]
    save(first)
    assert make(sheet) == 0
    before = codes(output)
    save([*more, *first])
    assert make(sheet) == 0
    _, problems = load_code_scheme(output)
    assert problems == []
    after = codes(output)
    assert {name: (code["CodeID"], code["NumericValue"]) for name, code in before.items()} == {
        name: (after[name]["CodeID"], after[name]["NumericValue"]) for name in before
    }


def test_a_control_code_of_the_projects_own_stays_one(tmp_path):
    assert make(write(tmp_path / "a.csv", "Label\nprice\n")) == 0
    scheme = read(tmp_path / "a.json")
    own = {"CodeID": "code-NOP", "CodeType": "Control", "ControlCode": "NOP", "DisplayText": "no opinion",
           "NumericValue": -140, "StringValue": "NOP", "VisibleInCoda": True}  # fmt: skip
    scheme["Codes"].append(own)
    (tmp_path / "a.json").write_text(json.dumps(scheme))
    # Whether the longer sheet speaks of it or not.
    for sheet in ("Label\nprice\nother\n", "Label;Control code\nprice;\nother;\nNOP;nop\n"):
        assert make(write(tmp_path / "a.csv", sheet)) == 0
        code = codes(tmp_path / "a.json")["NOP"]
        assert (code["CodeID"], code["ControlCode"], code["NumericValue"]) == ("code-NOP", "NOP", -140)
