"""Cells of CSV files: every text comes back as it was from whoever reads it, and none of them is a formula."""

import csv
import io
import unicodedata

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.foundation.csv_cells import encode_cell, encode_line, guard_cell, guard_line, read_lines, remove_guard
from engagement.foundation.errors import InputError
from engagement.foundation.files import read_text, reading_csv, write_csv

# A text, and its cell.
CELLS = [
    ("", ""),
    ("biyo", "biyo"),
    ("a,b", '"a,b"'),
    ('"a" b', '"""a"" b"'),
    ("a\nb", '"a\nb"'),
    # Python before 3.12.3 leaves these three bare.
    ("a\rb", '"a\rb"'),
    ("\r", '"\r"'),
    ("a\rSTOP,true", '"a\rSTOP,true"'),
    ("a\r\nb", '"a\r\nb"'),
    # Line ends to some, but to no reader of CSV.
    ("a\x85b\u2028c\u2029d\x0be\x0cf\x1cg\x00h", "a\x85b\u2028c\u2029d\x0be\x0cf\x1cg\x00h"),
    (" a ", " a "),
    ("a;b\tc", "a;b\tc"),
    ("'a'", "'a'"),
]


@pytest.mark.parametrize(("text", "cell"), CELLS)
def test_a_cell_is_quoted_where_a_reader_would_split_it(text: str, cell: str):
    assert encode_cell(text) == cell
    assert encode_line(["uid", text, "1"]) == f"uid,{cell},1\n"
    assert encode_line(["uid", text], quote_all=True) == '"uid","' + text.replace('"', '""') + '"\n'


def read_again(line: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(line, newline=""), strict=True))


texts = st.text(st.sampled_from("ab ,;\"'\r\n\t=-\x85\u2028\x00") | st.characters(codec="utf-8"), max_size=8)


@given(st.lists(texts, min_size=1, max_size=5), st.booleans())
def test_every_line_reads_as_it_was_written(cells: list[str], quote_all: bool):
    line = encode_line(cells, quote_all)
    assert read_again(line) == [cells]
    assert list(read_lines(io.StringIO(line, newline=""))) == [cells]


@given(st.lists(texts.map(lambda text: text.replace("\r", "")), min_size=1, max_size=5), st.booleans())
def test_bytes_are_those_of_the_standard_writer_where_no_cr_is_in_them(cells: list[str], quote_all: bool):
    expected = io.StringIO()
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    csv.writer(expected, lineterminator="\n", quoting=quoting).writerow(cells)
    assert encode_line(cells, quote_all) == expected.getvalue()


def test_a_line_without_cells_and_one_of_an_empty_cell():
    assert (encode_line([]), encode_line([""])) == ("\n", '""\n')


@pytest.mark.parametrize("text", [text for text, _ in CELLS if "\x00" not in text])
def test_pandas_reads_every_text_as_it_was(tmp_path, text: str):
    rows = (["uid", "text"], ["a", text], ["b", "behind"])
    (tmp_path / "t.csv").write_bytes("".join(map(encode_line, rows)).encode())
    table = pandas.read_csv(tmp_path / "t.csv", dtype=str, keep_default_na=False)
    assert table.to_numpy().tolist() == [["a", text], ["b", "behind"]]


# A text, and whether a spreadsheet would run it.
FORMULAS = [
    ("", False),
    ("biyo", False),
    ("'=1+1", False),
    ("3 = 3", False),
    ("e-mail", False),
    ("\nbiyo", False),
    (" biyo", False),
    *((f"{sign}1+1", True) for sign in "=+-@＝＋－＠"),
    ("-", True),
    ("+252", True),
    ("\tbiyo", True),
    ("\rbiyo", True),
    (" =1+1", True),
    ("\n\t =1+1", True),
    ("\ufeff=1+1", True),
    ("\u200b\u00a0\u3000@sum", True),
    ("\x00=1+1", True),
    ("\x1b=1+1", True),
    ("\u202e＝1+1", True),
]


@pytest.mark.parametrize(("text", "is_formula"), FORMULAS)
def test_an_apostrophe_precedes_what_a_spreadsheet_would_run(text: str, is_formula: bool):
    assert guard_cell(text) == ("'" + text if is_formula else text)
    assert remove_guard(guard_cell(text)) == text or text.startswith("'")


def test_nothing_that_has_no_width_hides_a_formula():
    # Signs of other scripts that are written before numbers have a width.
    visible = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440),
               *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B)}  # fmt: skip
    for number in range(0x110000):
        character = chr(number)
        kind = unicodedata.category(character)
        if (kind in ("Cc", "Cf", "Zs", "Zl", "Zp") or character.isspace()) and number not in visible:
            assert guard_cell(f"{character}=1") == f"'{character}=1", hex(number)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        *((number, number) for number in ("-", "-3", "-3.2", "+3", "0", "1e-05", "-1e-05")),
        ("-3 men", "'-3 men"), ("--", "'--"), ("=1", "'=1"), ("-1+cmd", "'-1+cmd"), ("biyo", "biyo"), (",=1", ",=1"), ("", ""),
    ],
)  # fmt: skip
def test_numbers_that_were_counted_stay_numbers(cell: str, expected: str):
    assert guard_line(["a", cell, "b"]) == ["a", expected, "b"]
    assert guard_line([cell, "=x"]) == [expected, "'=x"]


def test_a_table_guards_its_texts_and_keeps_its_numbers(tmp_path):
    write_csv(tmp_path / "t.csv", ["Theme", "@x"], [["=1+1", -3], ["a", None], ["-", "-3.2"], ["b\rc", 1.5]])
    assert (tmp_path / "t.csv").read_bytes() == b"Theme,'@x\n'=1+1,-3\na,\n-,-3.2\n\"b\rc\",1.5\n"
    with reading_csv(tmp_path / "t.csv") as lines:
        assert next(lines) == ["Theme", "'@x"]
        assert list(lines)[-1] == ["b\rc", "1.5"]


def test_long_cells_are_read_and_damaged_files_refused(tmp_path):
    path = tmp_path / "t.csv"
    write_csv(path, ["a"], [["b" * 200_000]])
    with reading_csv(path) as lines:
        assert len(list(lines)[1][0]) == 200_000
    path.write_bytes(b'"a"b\n')
    with pytest.raises(InputError, match="not a table"), reading_csv(path) as lines:
        list(lines)


def test_a_text_file_is_read_with_its_line_ends(tmp_path):
    (tmp_path / "t.txt").write_bytes("a\rb\r\nc\u2028d\n".encode())
    assert read_text(tmp_path / "t.txt") == "a\rb\r\nc\u2028d\n"
