"""Shares for publication, held against numbers that were worked out by hand."""

import numpy
import pytest

from engagement.analysis.statistics.shares import ShareRow, list_shares
from engagement.analysis.statistics.statistics import Statistics
from engagement.analysis.statistics.variables import Variable
from engagement.analysis.tables.coded_table import Codes
from engagement.analysis.tables.season import load_season
from engagement.configuration import load_project
from example_project import DataRoot, coda_message, episode_run, label, survey_run


@pytest.fixture(scope="module")
def statistics(tmp_path_factory: pytest.TempPathFactory) -> Statistics:
    """Three relevant participants of an episode; one says nothing of gender, one who withdrew is in nothing."""
    root = DataRoot(tmp_path_factory.mktemp("season"))
    root.write_runs(
        episode_run("a", "biyo", run_id=1),
        episode_run("b", "biyo iyo dugsi", run_id=2),
        episode_run("c", "dugsi", run_id=3),
        episode_run("d", "salaan", run_id=4),
        episode_run("gone", "jooji", run_id=5),
        episode_run("gone", "biyo", run_id=6),
        survey_run("a", 101, gender="nin"),
        survey_run("b", 102, gender="naag"),
        survey_run("c", 103, gender="waa maxay"),
        survey_run("d", 104, gender="naag"),
        survey_run("gone", 105, gender="nin"),
    )
    water, school = label("episode1", "water"), label("episode1", "school")
    root.write_coded(
        "s01e01",
        coda_message("biyo", water),
        coda_message("biyo iyo dugsi", water, label("episode1", "school", copy="-1")),
        coda_message("dugsi", school),
        coda_message("salaan", label("episode1", "NC")),
        coda_message("jooji", label("episode1", "STOP")),
    )
    root.write_coded(
        "gender", coda_message("nin", label("gender", "man")), coda_message("naag", label("gender", "woman"))
    )
    root.generate()
    return Statistics(load_season(load_project(root.configuration), root.path))


def counts_of(statistics: Statistics, dataset: str, theme: str, breakdown: str) -> list[tuple[str, int, int]]:
    keys = dataset, theme, breakdown
    return [(row.value, row.n, row.base) for row in statistics.shares if row[:3] == keys]


def test_the_base_of_a_theme_is_the_relevant_participants_of_its_episode(statistics: Statistics):
    assert counts_of(statistics, "rqa_s01e01", "water", "total") == [("", 2, 3)]


def test_who_gave_no_value_stands_behind_the_values(statistics: Statistics):
    assert counts_of(statistics, "rqa_s01e01", "school", "gender") == [
        ("man", 0, 1),
        ("woman", 1, 1),
        ("(missing)", 1, 1),
    ]


def test_the_base_of_a_demographic_is_who_has_a_value(statistics: Statistics):
    assert counts_of(statistics, "gender", "woman", "total") == [("", 2, 3)]


def test_a_guessed_value_is_missing(statistics: Statistics):
    (plan,) = (plan for plan in statistics.season.project.coding_plans.survey if plan.raw_field == "gender_raw")
    scheme = plan.coding_configurations[0].code_scheme
    man, missing = (
        next(code.code_id for code in scheme.codes if code.string_value == value) for value in ("man", "NC")
    )
    rows, guessed = numpy.array([0, 0, 1]), numpy.array([False, True, False])
    values = Codes(scheme, [[man], [missing]], rows, {"operator": guessed}).first_values()
    normal = [code.string_value for code in scheme.codes if code.is_normal]
    assert values.tolist() == [normal.index("man"), len(normal), len(normal)]


def test_figures_are_not_rounded(statistics: Statistics):
    share = next(row for row in statistics.shares if row[:3] == ("rqa_s01e01", "water", "total"))
    assert share.percent == 200 / 3
    assert share.low == pytest.approx(20.7660, abs=1e-4)
    assert share.high == pytest.approx(93.8508, abs=1e-4)


@pytest.mark.parametrize(
    ("base", "count", "mark"),
    [(29, 20, "small base"), (30, 9, "small count"), (30, 10, ""), (29, 0, "small base"), (30, 0, "small count")],
)
def test_small_bases_and_small_counts_are_marked(base: int, count: int, mark: str):
    gender = Variable("gender", ("man", "woman"), numpy.array([0] * count + [1] * (base - count) + [2] * 100))
    assert list_shares([], [gender], 10)[0][3:6] + list_shares([], [gender], 10)[0][-1:] == ("", count, base, mark)


def test_there_is_no_share_of_nobody():
    nobody = Variable("gender", ("man",), numpy.array([1, 1]))
    assert list_shares([], [nobody], 10) == [
        ShareRow("gender", "man", "total", "", 0, 0, None, None, None, "small base")
    ]


def test_the_reference_is_the_most_frequent_value_and_the_first_of_equals():
    assert Variable("place", ("a", "b", "c"), numpy.array([1, 2, 2, 1, 0, 3, 3, 3])).reference == 1
