"""What differs between two seasons: known intervals, people in both told in words, and nothing judged by overlap."""

import argparse
import csv
import shutil
from pathlib import Path

import pytest

from engagement.analysis.comparison.differences import ShareDifference
from engagement.analysis.comparison.seasons import compare_seasons
from engagement.analysis.tables.intervals import difference_interval
from engagement.analysis.tables.season import load_season
from engagement.configuration import load_project
from engagement.desk import compare
from engagement.foundation.errors import InputError, UsageError
from example_project import DataRoot, coda_message, episode_run, label, write_project

WORDS = {"water": "biyo", "roads": "waddo", "school": "dugsi"}


def make_root(folder: Path, prefix: str, **themes: int) -> DataRoot:
    """A data root in which so many people, each once, named each theme."""
    folder.mkdir()
    root = DataRoot(folder, write_project(folder / "configuration"))
    names = [theme for theme, count in themes.items() for _ in range(count)]
    root.write_runs(*(episode_run(f"{prefix}{n}", WORDS[theme], run_id=n) for n, theme in enumerate(names)))
    root.write_coded("s01e01", *(coda_message(WORDS[theme], label("episode1", theme)) for theme in themes))
    root.generate()
    return root


@pytest.fixture(scope="module")
def roots(tmp_path_factory) -> tuple[DataRoot, DataRoot, DataRoot]:
    """Two seasons that share nobody, and a later run of the first with two more people."""
    folder = tmp_path_factory.mktemp("roots")
    return (
        make_root(folder / "one", "p", water=36, roads=4),
        make_root(folder / "two", "q", water=10, roads=20, school=2),
        make_root(folder / "later", "p", water=36, roads=6),
    )


def run(*arguments: object) -> None:
    parser = argparse.ArgumentParser()
    compare.add_arguments(parser)
    compare.run(parser.parse_args([str(argument) for argument in arguments]))


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as file:
        return {row["Theme"]: row for row in csv.DictReader(file) if row["Dataset"] == "rqa_s01e01"}


@pytest.mark.parametrize(
    ("before", "after", "low", "high"),
    [
        # Table II of Newcombe (1998), method 10: contrasts a to h.
        ((48, 80), (56, 70), 5.24, 33.39),
        ((3, 10), (9, 10), 17.05, 80.90),
        ((2, 7), (6, 7), 5.82, 80.62),
        ((0, 29), (5, 56), -3.81, 19.26),
        ((0, 20), (0, 10), -16.11, 27.75),
        ((0, 10), (0, 10), -27.75, 27.75),
        ((0, 20), (10, 10), 67.91, 100.0),
        ((0, 10), (10, 10), 60.75, 100.0),
    ],
)
def test_intervals_are_those_that_newcombe_published(before, after, low, high):
    found = difference_interval(after, before)
    assert [round(end, 2) for end in found] == [pytest.approx(low, abs=0.011), pytest.approx(high, abs=0.011)]


def test_a_difference_may_be_more_than_chance_though_the_shares_own_intervals_overlap():
    one = ShareDifference("d", "t", "t", (48, 80), (56, 70), 0)
    before, after = one.shares
    assert before.interval[1] > after.interval[0]
    assert one.is_more_than_chance


def test_people_in_both_and_few_people_have_no_interval():
    same, few = ShareDifference("d", "t", "t", (5, 40), (9, 40), 38), ShareDifference("d", "t", "t", (5, 9), (9, 40), 0)
    assert (same.interval, same.note) == (None, "38 in both: no interval")
    assert (few.interval, few.difference, few.note) == (None, None, "base below 10: no share")
    assert ShareDifference("d", "t", "t", (5, 29), (9, 40), 0).note == "small base"


def test_two_seasons_of_other_people(roots, tmp_path):
    one, two, _ = roots
    run(one.path, two.path, "--folder", tmp_path)
    rows = rows_of(tmp_path / "comparison.csv")
    water = rows["water"]
    low, high = difference_interval((10, 32), (36, 40))
    assert (water["Participants Before"], water["Base After"], water["In Both"]) == ("36", "32", "0")
    assert float(water["Difference"]) == pytest.approx(100 * (10 / 32 - 36 / 40))
    assert (float(water["Low"]), float(water["High"])) == (pytest.approx(low), pytest.approx(high))
    assert [rows[theme]["Change"] for theme in ("water", "school")] == ["", "new"]
    page = (tmp_path / "comparison.html").read_text()
    assert "chance alone would do that for less than 1 of so many" in page
    assert "<p>New: nobody had them before.</p><ul><li>rqa_s01e01: school 2*</li></ul>" in page
    assert "<p>None is gone.</p>" in page
    assert "6.2 % (2* of 32)" in page
    assert "No participant&#x27;s id is in both" in page or "No participant's id is in both" in page
    assert "<script" not in page


def test_two_runs_of_the_same_people_say_so_and_have_no_interval(roots, tmp_path):
    one, _, later = roots
    run(one.path, later.path, "--folder", tmp_path)
    rows = rows_of(tmp_path / "comparison.csv")
    assert (rows["roads"]["In Both"], rows["roads"]["Low"], rows["roads"]["Note"]) == (
        "40",
        "",
        "40 in both: no interval",
    )
    page = (tmp_path / "comparison.html").read_text()
    assert "40 participant(s) are in both" in page
    assert "<p>No share has an interval: the notes below say why.</p>" in page


def test_a_theme_that_nobody_has_any_more_is_gone(roots, tmp_path):
    one, two, _ = roots
    run(two.path, one.path)
    assert rows_of(one.path / "Comparison" / "comparison.csv")["school"]["Change"] == "gone"
    shutil.rmtree(one.path / "Comparison")


def test_datasets_of_other_names_are_paired(roots, tmp_path):
    seasons = [load_season(load_project(root.configuration), root.path) for root in roots[:2]]
    found = compare_seasons(*seasons, {"rqa_s01e01": "rqa_s01e02"})
    assert {one.dataset for one in found.shares if one.theme == "water"} >= {"rqa_s01e01 / rqa_s01e02"}
    assert "rqa_s01e02" in found.only_before
    assert "rqa_s01e01" in found.only_after
    with pytest.raises(UsageError, match=r"the second data root has no such dataset; nearest: 'rqa_s01e02'"):
        compare_seasons(*seasons, {"rqa_s01e01": "rqa_s01e20"})


def test_what_is_missing_is_told(roots, tmp_path):
    with pytest.raises(UsageError, match="no such directory; expected a data root"):
        run(tmp_path / "nowhere", roots[0].path)
    with pytest.raises(InputError, match="expected what stage 3 leaves for the analysis"):
        run(roots[0].path, tmp_path)
