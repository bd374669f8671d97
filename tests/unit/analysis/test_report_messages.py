"""The report's lists of messages: who withdrew is in none, numbers are masked, and small cells are held back where asked."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy
import pytest

from engagement.analysis.report import episodes, last_run, listed_messages
from engagement.analysis.report.agreement import tabulate_agreement
from engagement.analysis.report.breakdowns import (
    HELD_BACK,
    MISSING,
    NEW_AND_RETURNING,
    Grouping,
    ThemeCounts,
    hold_back,
    hold_back_levels,
)
from engagement.analysis.report.coder_agreement import read_agreement
from engagement.analysis.report.episodes import make_document
from engagement.analysis.report.last_run import compare_shares, gather_figures, read_last_figures, write_figures
from engagement.analysis.report.report import make_page
from engagement.analysis.tables.season import Season, load_season
from engagement.configuration import load_project
from example_project import DataRoot, coda_message, episode_run, label, survey_run, write_project

WITHDRAWS = "ha igu soo dirina"
NUMBER = "0615550123"
MEN, WOMEN = 14, 3


def make_root(folder: Path, disclosure: dict | None = None) -> DataRoot:
    """Fourteen men and three women write of water, one of them with a number; somebody withdraws, and one gives no gender."""

    def change(configuration: dict) -> None:
        if disclosure is not None:
            configuration["Disclosure"] = disclosure

    root = DataRoot(folder, write_project(folder / "configuration", change_configuration=change))
    texts = [f"biyo {number}" for number in range(MEN + WOMEN)]
    texts[0] = f"biyo {NUMBER} </script><b>"
    lines = [episode_run(f"p{n}", text, 1, f"2026-04-05T12:{n:02}:00+03:00", n) for n, text in enumerate(texts)]
    lines += [survey_run(f"p{n}", 100 + n, gender="nin" if n < MEN else "naag") for n in range(len(texts))]
    lines += [
        episode_run("unknown", "biyo badan", 1, "2026-04-05T13:00:00+03:00", 50),
        # Wrote to the first episode, so is no newcomer to the second.
        episode_run("p1", "rajo", 2, "2026-04-12T12:00:00+03:00", 51),
        episode_run("late", "rajo", 2, "2026-04-12T13:00:00+03:00", 52),
        episode_run("gone", WITHDRAWS, 1, "2026-04-05T14:00:00+03:00", 53),
        episode_run("gone", "rajo iyo biyo", 2, "2026-04-12T14:00:00+03:00", 54),
    ]
    root.write_runs(*lines)
    waters = [coda_message(text, label("episode1", "water")) for text in (*texts, "biyo badan")]
    root.write_coded("s01e01", *waters, coda_message(WITHDRAWS, label("episode1", "STOP")))
    root.write_coded("s01e02", coda_message("rajo", label("episode2", "hope")))
    root.write_coded("gender", *(coda_message(t, label("gender", c)) for t, c in (("nin", "man"), ("naag", "woman"))))
    root.generate()
    return root


def season_of(root: DataRoot) -> Season:
    return load_season(load_project(root.configuration), root.path)


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Season:
    return season_of(make_root(tmp_path_factory.mktemp("open")))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Season:
    disclosure = {"KAnonymity": 5, "Columns": ["gender"]}
    return season_of(make_root(tmp_path_factory.mktemp("guarded"), disclosure))


def counts_of(document: dict, key: str, episode: int = 0) -> tuple[list, list]:
    by = document["episodes"][episode]["by"][key]
    theme = next(place for place, one in enumerate(document["episodes"][episode]["themes"]) if one["isTheme"])
    return by["n"][theme], by["base"]


def test_a_theme_is_counted_in_each_group_and_without_one(season: Season):
    document = make_document(season)
    groups = {one["key"]: one["groups"] for one in document["groupings"]}["gender"]
    counts, bases = counts_of(document, "gender")
    assert {group: count for group, count in zip([*groups, "missing"], counts, strict=True) if count} == {
        "man": MEN, "woman": WOMEN, "missing": 1,
    }  # fmt: skip
    assert bases == counts


def test_who_wrote_before_is_returning(season: Season):
    document = make_document(season)
    assert counts_of(document, "new_and_returning", 0)[0] == [MEN + WOMEN + 1, 0, 0]
    assert counts_of(document, "new_and_returning", 1)[0] == [1, 1, 0]


def test_who_withdrew_is_in_no_list_and_numbers_are_masked(season: Season):
    document = make_document(season)
    texts = [text for episode in document["episodes"] for text in episode["messages"]["texts"]]
    assert not any(WITHDRAWS in text or "iyo biyo" in text for text in texts)
    assert not any(NUMBER in text for text in texts)
    assert "biyo [phone number] </script><b>" in texts
    page = make_page(season, [], [])
    assert WITHDRAWS not in page
    assert NUMBER not in page
    # A text can't end the script that holds it.
    data = page.partition('id="episodes">')[2].partition("</script>")[0]
    assert json.loads(data)["episodes"][0]["key"] == "rqa_s01e01"


def test_small_cells_are_held_back_with_k_anonymity_and_so_is_what_would_tell_them(guarded: Season):
    document = make_document(guarded)
    counts, bases = counts_of(document, "gender")
    # Three women and one without a gender: their sum, too, is small, so the men's count is held back with them.
    assert set(counts) - {0} == {None}
    assert set(bases) - {0} == {None}
    groups = document["episodes"][0]["messages"]["groups"]["gender"]
    assert set(groups) == {HELD_BACK}


def test_no_share_of_few_is_in_the_comparison_with_k_anonymity(guarded: Season, season: Season):
    def compare(one: Season, count: int, base: int, now: int) -> int:
        last = {"shares": {"rqa_s01e01": {"water": [count, base]}}}
        values = [replace(value, plain=now) for value in one.values(one.episodes[0][1])]
        basis = replace(one.basis(one.episodes[0][1]), answered=80)
        changed = replace(one)
        object.__setattr__(
            changed, "values", lambda _: [value for value in values if value.code.string_value == "water"]
        )
        object.__setattr__(changed, "basis", lambda _: basis)
        return compare_shares(changed, last)[0]

    for count, base, now in ((3, 40, 33), (20, 40, 23), (35, 40, 55), (20, 40, 57)):
        assert compare(guarded, count, base, now) == 0
        assert compare(season, count, base, now) > 0
    assert compare(guarded, 20, 40, 40) > 0


def test_a_region_cannot_be_had_from_its_state():
    """State one is region one (3) and region three (40): 43 less 40 would tell what is held back."""
    regions = ThemeCounts([hold_back([3, 12, 40], 10), [20, 20, 20]], [30, 30, 60])
    states = ThemeCounts([[43, 12], [40, 20]], [90, 30])
    first, second = hold_back_levels([regions, states])
    assert first.counts == [[None, None, 40], [20, 20, 20]]
    assert second.counts == [[None, None], [40, 20]]
    assert second.bases == [90, 30]


def test_breakdowns_of_one_question_are_held_back_together_on_the_page(tmp_path: Path):
    def change(document: dict) -> None:
        document["Disclosure"] = {"KAnonymity": 5, "Columns": ["region"]}

    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", change_configuration=change))
    project = load_project(root.configuration)
    location = next(plan for plan in project.coding_plans.all if len(plan.coding_configurations) > 2)
    season = SimpleNamespace(project=project)
    groupings = [Grouping(f"level {n}", "", [], one) for n, one in enumerate(location.coding_configurations)]
    levels = [level for level in episodes.list_levels(season, [*groupings, NEW_AND_RETURNING]) if level]
    assert levels == [[one.key for one in groupings]]


def test_without_k_anonymity_every_group_is_told(season: Season):
    groups = make_document(season)["episodes"][0]["messages"]["groups"]["gender"]
    assert sorted(groups).count(MISSING) == 1
    assert HELD_BACK not in groups


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([12, 40], [12, 40]),
        ([3, 40, 25, 0], [None, 40, None, 0]),
        ([3, 4, 25, 80], [None, None, None, 80]),
        ([8, 9, 25], [None, None, 25]),
        ([3, 0, 0], [None, None, None]),
        ([3, 0, 12], [None, 0, None]),
        ([0, 0], [0, 0]),
    ],
)
def test_no_small_count_can_be_had_by_subtraction(counts: list[int], shown: list[int | None]):
    assert hold_back(counts, 10) == shown


def test_past_the_limit_messages_are_a_sample_that_stays(season: Season, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listed_messages, "MOST_MESSAGES", 5)
    rows, written = listed_messages.choose_rows(season.messages, season.episodes)
    assert sum(map(len, rows)) == 5
    assert written == [MEN + WOMEN + 1, 2]
    again, _ = listed_messages.choose_rows(season.messages, season.episodes)
    assert all(numpy.array_equal(first, second) for first, second in zip(rows, again, strict=True))
    document = make_document(season)
    assert sum(len(episode["messages"]["text"]) for episode in document["episodes"]) == 5
    assert [episode["written"] for episode in document["episodes"]] == [MEN + WOMEN + 1, 2]


def test_fewer_than_ten_who_joined_are_no_group_to_compare(season: Season):
    now = gather_figures(season)
    assert now["shares"]["rqa_s01e01"]["water"] == [MEN + WOMEN + 1, MEN + WOMEN + 1]

    def compare(count: int, base: int) -> tuple[int, list[str]]:
        last = json.loads(json.dumps(now))
        last["shares"] = {"rqa_s01e01": {"water": [count, base]}}
        compared, moved = compare_shares(season, last)
        return compared, [one.theme for one in moved]

    # All of the eight or nine who joined since have the theme: fewer than ten are no group to compare.
    assert compare(10, 10) == (0, [])
    assert compare(0, 9) == (0, [])


def test_shares_of_two_groups_of_people_differ_by_more_than_chance_or_not(
    season: Season, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(last_run, "SMALLEST_BASE", 5)
    same = {"shares": {"rqa_s01e01": {"water": [9, 9]}}}
    assert compare_shares(season, same) == (1, [])
    other = {"shares": {"rqa_s01e01": {"water": [9, 9]}}}
    # Counts that went down were labelled anew: no group of people joined with them.
    other["shares"]["rqa_s01e01"]["water"] = [0, 9]
    assert compare_shares(season, other) == (0, [])


def test_a_report_of_the_same_outputs_is_compared_with_the_same_run(season: Season, tmp_path: Path):
    figures = gather_figures(season)
    path = tmp_path / "figures.json"
    assert read_last_figures(path, figures) is None
    earlier = {**figures, "run": "2026-01-01T00:00:00Z", "messages": 1}
    write_figures(path, earlier, None)
    assert read_last_figures(path, figures) == earlier
    write_figures(path, figures, earlier)
    assert read_last_figures(path, figures) == earlier


def test_how_far_coders_agree_is_shown_where_sheets_were_compared(tmp_path: Path):
    assert tabulate_agreement(read_agreement(tmp_path)) == []
    (tmp_path / "statistics").mkdir()
    (tmp_path / "statistics" / "agreement.csv").write_text(
        "level,code,coefficient,messages,estimate,low_bootstrap,high_bootstrap\n"
        "all codes,,percent_agreement,40,0.9,0.8,0.95\n"
        "all codes,,krippendorff_alpha,40,0.8123,0.7,0.9\n"
        "code,water,gwet_ac1,40,0.95,,\n"
    )
    (table,) = tabulate_agreement(read_agreement(tmp_path))
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["all codes together", "40", "0.81", "0.70 to 0.90", "", ""],
        ["water", "40", "", "", "0.95", "–"],
    ]
