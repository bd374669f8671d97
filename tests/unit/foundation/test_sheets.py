"""CSV files as spreadsheet programs write them."""

import pytest

from engagement.foundation.errors import InputError, UsageError
from engagement.foundation.sheets import Row, read_sheet, split_cell


def read(tmp_path, content: str | bytes, name: str = "sheet.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_sheet(path, "a sheet")


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,x\n",
        "\ufeffa,b\r\n1,x\r\n",  # Excel's "CSV UTF-8"
        "a;b\n1;x\n",  # Excel where the comma is for decimals
        "a\tb\n1\tx",
        '"a","b"\n" 1 ","x\u00a0"\n',
        'a;"b"\n1;x\n',
    ],
)
def test_every_way_to_save_gives_the_same_sheet(tmp_path, content):
    sheet = read(tmp_path, content)
    assert (sheet.header, sheet.rows) == (("a", "b"), (Row(2, ("1", "x")),))


def test_a_separator_inside_quotes_does_not_decide(tmp_path):
    assert read(tmp_path, '"a,1,2,3";b\n1;2\n').header == ("a,1,2,3", "b")


def test_rows_have_the_numbers_that_the_spreadsheet_shows(tmp_path):
    sheet = read(tmp_path, 'a,b\n"two\nlines",x\n,\n\nlast\n')
    assert sheet.rows == (Row(2, ("two\nlines", "x")), Row(5, ("last", "")))


def test_letters_with_their_accents_apart_are_the_same(tmp_path):
    assert read(tmp_path, "a\ne\u0301\n").rows == (Row(2, ("é",)),)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "codes.xlsx",
            b"PK\x03\x04",
            "a file of type '.xlsx'; expected a sheet as .csv. Save the sheet as 'CSV UTF-8'.",
        ),
        ("codes.csv", b"a\nMar\xeda\n", "not UTF-8 text; expected a sheet. Save the sheet as 'CSV UTF-8'."),
        ("codes.csv", b"", "row 1: empty; expected the heading of a sheet."),
        ("codes.csv", b",,\n1,2,3\n", "row 1: empty; expected the heading of a sheet."),
        ("codes.csv", b"a,b\n1,2,3\n1,2,,\n1,2,,4\n", "more cells than the heading's 2 in row 2, 4; expected at most"),
    ],
)
def test_what_is_no_sheet_is_said_to_be_none(tmp_path, name, content, message):
    with pytest.raises(InputError) as caught:
        read(tmp_path, content, name)
    assert message in str(caught.value)


def test_a_missing_file_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="no such file; expected a sheet"):
        read_sheet(tmp_path / "none.csv", "a sheet")


def test_a_cell_of_several_items_gives_each_once():
    assert split_cell(" man; male|man,\nlab ;") == ("man", "male", "lab")
    assert split_cell(" ") == ()
