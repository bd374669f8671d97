"""Files that hold a text, in whatever form their format writes it."""

import csv
import html
import json

import pytest
from markupsafe import escape

from engagement.desk.held_data.copies import find_files_with

TEXT = 'biyo la\'aan & "wado" \u00e9 <fog>'
FORMS = {
    "as it is.txt": TEXT,
    "ascii.json": json.dumps(TEXT),
    "unicode.json": json.dumps(TEXT, ensure_ascii=False),
    "cell.csv": TEXT.replace('"', '""'),
    "page.html": str(escape(TEXT)),
    "chart.svg": html.escape(TEXT, quote=False),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_text_is_found_in_each_form(tmp_path, name):
    (tmp_path / name).write_text(f"before {FORMS[name]} after", encoding="utf-8")
    (tmp_path / "other").write_text("biyo la'aan", encoding="utf-8")
    assert find_files_with(tmp_path, [TEXT]) == [name]


def test_a_text_is_found_where_csv_writes_it(tmp_path):
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(["a", TEXT])
    assert find_files_with(tmp_path, [TEXT]) == ["rows.csv"]
