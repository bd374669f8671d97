"""Texts with line ends and formulas in them, from the fetched run to every CSV and to Drive."""

import csv
from pathlib import Path

import pandas
import pytest

from engagement.analysis.tables.files import write_tables
from engagement.analysis.tables.message_samples import fold_text
from engagement.analysis.tables.season import load_season
from engagement.configuration import load_project
from engagement.delivery.disclosure.analysis_files import pass_analysis_file
from engagement.delivery.disclosure.findings import DisclosureFindings
from engagement.delivery.disclosure.tables import pass_tables
from engagement.foundation.files import make_directory
from example_project import DataRoot, coda_message, episode_run, label, write_project

TEXTS = ("i sheeg\rbiyo,1", "\r", "\r\nbiyo", "a\x85b\u2028c", '\u200b=HYPERLINK("x")', "＝1+1\r-2", "-", "-7", "biyo")
NUMBER = "0615000001"


def make_season(folder: Path, guards: bool) -> DataRoot:
    configuration = write_project(
        folder / "configuration", lambda document: document.update(GuardFormulas=True) if guards else None
    )
    root = DataRoot(folder, configuration)
    root.write_runs(*(episode_run(chr(ord("a") + n), text, run_id=n) for n, text in enumerate(TEXTS)))
    root.write_coded("s01e01", *(coda_message(text, label("episode1", "water")) for text in TEXTS if text != "\r"))
    root.generate()
    return root


@pytest.fixture(params=[False, True], ids=["exact", "GuardFormulas"])
def guards(request):
    return request.param


@pytest.fixture
def root(tmp_path, guards):
    return make_season(tmp_path, guards)


def read_both(path: Path, column: str) -> list[str]:
    """The cells of a column, which Python's csv and pandas agree on."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    table = pandas.read_csv(path, dtype=str, keep_default_na=False)
    assert table[column].to_list() == [row[column] for row in rows]
    assert all(None not in row and None not in row.values() for row in rows)
    return table[column].to_list()


def guarded(text: str) -> str:
    return "'" + text if text.strip("\u200b")[:1] in ("=", "-", "＝", "\r") else text


def test_no_text_adds_a_row_to_any_table(root, guards):
    for name in ("messages", "individuals"):
        assert sorted(read_both(root.outputs / f"{name}.csv", "rqa_s01e01_raw")) == sorted(
            map(guarded, TEXTS) if guards else TEXTS
        )
        assert len(set(read_both(root.outputs / f"{name}.csv", "uid"))) == len(TEXTS)
    assert sorted(read_both(root.outputs / "production.csv", "rqa_s01e01_raw")) == sorted(map(guarded, TEXTS))
    sampled = {guarded(text) for text in TEXTS} - {guarded("\r")}
    assert set(read_both(root.outputs / "ICR" / "s01e01.csv", "rqa_s01e01_raw")) == sampled


def test_no_text_adds_a_row_to_the_analysis(root, tmp_path):
    project = load_project(root.configuration)
    folder = make_directory(tmp_path / "analysis")
    write_tables(load_season(project, root.path), folder)
    for name in ("sample_messages", "impact_messages"):
        read_both(folder / f"{name}.csv", "Message")
    shown = set(read_both(folder / "sample_messages.csv", "Message"))
    # Of texts that look alike one is there.
    assert shown < {guarded(text) for text in TEXTS}
    assert {fold_text(text) for text in shown} == {fold_text(guarded(text)) for text in TEXTS}
    copy = pass_analysis_file(
        folder / "sample_messages.csv", "sample_messages.csv", tmp_path / "copies", DisclosureFindings(), False
    )
    assert copy.read_bytes() == (folder / "sample_messages.csv").read_bytes()


def test_copies_for_drive_are_guarded_and_name_messages_by_their_own_text(root, tmp_path):
    copies = make_directory(tmp_path / "copies")
    pass_tables(load_project(root.configuration), root.outputs, copies)
    for name in ("messages", "individuals", "production"):
        assert sorted(read_both(copies / f"{name}.csv", "rqa_s01e01_raw")) == sorted(map(guarded, TEXTS))


def test_a_phone_number_behind_a_guard_is_the_same_message_in_all_tables(tmp_path, guards):
    configuration = write_project(
        tmp_path / "configuration", lambda document: document.update(GuardFormulas=True) if guards else None
    )
    root = DataRoot(tmp_path, configuration)
    root.write_runs(episode_run("a", f"\ufeff=wac {NUMBER}"))
    root.generate()
    copies = make_directory(tmp_path / "copies")
    findings = pass_tables(load_project(configuration), root.outputs, copies)
    assert len(findings.texts) == 1
    for name in ("messages", "individuals", "production"):
        (cell,) = read_both(copies / f"{name}.csv", "rqa_s01e01_raw")
        assert cell.startswith("'\ufeff=wac ")
        assert NUMBER not in cell


def test_a_season_of_exact_texts_is_the_same_but_for_the_apostrophes(tmp_path):
    exact, safe = (make_season(tmp_path / str(guards), guards) for guards in (False, True))
    for name in ("messages", "individuals"):
        for before, after in zip(exact.table(name), safe.table(name), strict=True):
            assert dict(after) == {**before, "rqa_s01e01_raw": guarded(before["rqa_s01e01_raw"])}
