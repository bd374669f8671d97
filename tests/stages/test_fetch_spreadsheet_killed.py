"""Fetches of spreadsheets that are killed, and a state that is damaged: Raw Data gets the bytes that it would have."""

import shutil
from pathlib import Path

import pytest

import faults
from engagement.sources.spreadsheet import fetch, packed_rows
from spreadsheet_project import HEADER, SpreadsheetProject, line

_MOMENTS = 4
ROWS = [line(number, f"jawaab {number}", f"20/03/2026 10:{number:02}") for number in range(25)]
FIRST = HEADER + "".join(ROWS)
FILES = {
    "the first fetch": [FIRST],
    "an append": [FIRST, FIRST + "".join(line(number, "cusub") for number in range(30, 40))],
    # Two rows are gone, one is corrected, and one stands there twice.
    "a replaced file": [FIRST, HEADER + "".join([line(1, "sax"), *ROWS[2:], ROWS[9], line(50, "cusub")])],
}


def raw_data(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "data root" / "Raw Data").iterdir()}


def make_pages_small() -> None:
    """Let a few rows be several pages, each of which is kept by itself."""
    fetch._BATCHES_A_PAGE = 1
    packed_rows._ROWS_A_BLOCK = 4


def kill_at_moments(folder: Path, arguments: list[str], contents: list[str]) -> tuple[int, list[str]]:
    """Kill the last of several fetches at some of its changes; gives how often it was killed, and what was other than told."""
    file = folder / "uploads" / "groups.csv"
    whole, data_root, table = folder.parent / "whole", folder / "data root", folder / "embedded"

    def run(content: str, last: int | None = None) -> faults.Ended:
        def prepare() -> faults.Changes:
            make_pages_small()
            changes = faults.Changes(folder, last)
            changes.watch()
            return changes

        file.write_text(content)
        return faults.run_stage(["fetch-raw-data", *arguments], prepare)

    def start() -> None:
        shutil.rmtree(data_root, ignore_errors=True)
        for content in contents[:-1]:
            run(content)

    start()
    shutil.copytree(folder, whole)
    changes = run(contents[-1]).changes
    killed, wrong = 0, []
    for moment in range(2, changes, max(1, changes // _MOMENTS)):
        # The participants too are new again, in a first fetch.
        for place in (data_root, table):
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(whole / place.name, place) if (whole / place.name).exists() else None
        killed += run(contents[-1], moment).status == faults.KILLED
        again = run(contents[-1])
        found = raw_data(folder)
        start()
        undisturbed = run(contents[-1])
        if (again.status, undisturbed.status) != (0, 0) or found != raw_data(folder):
            wrong.append(f"change {moment} of {changes}: {again.told}")
    return killed, wrong


@pytest.mark.parametrize("name", FILES)
def test_a_killed_fetch_leaves_the_bytes_of_an_undisturbed_one(tmp_path: Path, name: str):
    folder = tmp_path / "project"
    folder.mkdir()
    project = SpreadsheetProject(folder)
    killed, wrong = faults.in_server(kill_at_moments, folder, project.arguments(), FILES[name])
    assert wrong == []
    assert killed >= _MOMENTS


def test_a_damaged_state_is_met_when_rows_come_and_starts_again(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    project = SpreadsheetProject(tmp_path)
    project.put(FIRST)
    project.fetch()
    before = project.file("groups_s05").read_bytes()
    state = project.data_root / "State" / "fetch" / "Spreadsheet groups_s05.sqlite"
    content = state.read_bytes()
    # The first page, with the notes' and the tables' names, stays.
    middle = len(content) // 2
    state.write_bytes(content[:middle] + b"\xff" * (len(content) // 4) + content[middle + len(content) // 4 :])
    # A night with nothing new reads none of the lines.
    project.fetch()
    assert "fetched again" not in caplog.text
    project.put(FIRST + line(50, "cusub", "21/03/2026 10:00"))
    project.fetch(user="another@example.org")
    assert caplog.text.count("everything is fetched again") == 1
    assert project.file("groups_s05").read_bytes().startswith(before)
    assert len(project.texts()) == 26
