"""Charts: what they count, that they are drawn once and the same, and letters of every alphabet."""

import logging
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from engagement.analysis.charts.charts import describe_charts, draw_charts
from engagement.analysis.charts.codes import chart_codes
from engagement.analysis.charts.drawing import BarChart, Bars, draw_bar_chart, shorten_labels
from engagement.analysis.pictures import fonts
from engagement.analysis.pictures.fonts import find_fonts
from engagement.analysis.pictures.pictures import draw_pictures
from engagement.analysis.tables.season import Season, load_season
from engagement.configuration import load_project
from example_project import DataRoot
from picture_season import HOSTILE_NAME, make_season

CHART = BarChart("Title", "n = 3", "Participants", ("a", "b"), (Bars("", (1, 2), ("1", "2")),))


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Season:
    return make_season(tmp_path_factory.mktemp("charts"))


@pytest.fixture(scope="module")
def charts(season: Season) -> dict[str, BarChart]:
    return {one.name: one.chart for one in describe_charts(season)}


def values_of(chart: BarChart, series: int = 0) -> dict[str, float]:
    return dict(zip(chart.labels, chart.series[series].values, strict=True))


def test_there_is_a_chart_of_every_coding_that_somebody_has_a_code_of(season: Season, charts: dict[str, BarChart]):
    keys = {str(one.analysis_file_key) for p in season.project.coding_plans.all for one in p.coding_configurations}
    without = {key for key in keys if not any(name.endswith(f"_{key}") for name in charts)}
    # Nobody wrote to the second episode, and nobody told an age: its scale would be empty.
    assert without == {"rqa_s01e02", "age"}


def test_titles_name_a_scheme_once(season: Season, charts: dict[str, BarChart]):
    # The schemes are named as their keys here, but for underscores; those of episodes are always told.
    assert charts["demographics_gender"].title == "Participants by gender"
    assert charts["themes_rqa_s01e01"].title == "Themes of rqa_s01e01 (episode1)"
    coding = next(
        one
        for plan in season.project.coding_plans.all
        for one in plan.coding_configurations
        if one.analysis_file_key == "region"
    )
    renamed = replace(coding, code_scheme=coding.code_scheme.model_copy(update={"name": "Somalia Region"}))
    assert chart_codes(season, renamed, is_episode=False).title == "Participants by region (Somalia Region)"


def test_themes_are_counted_by_participants_and_ordered_by_size(charts: dict[str, BarChart]):
    chart = charts["themes_rqa_s01e01"]
    assert chart.labels == (HOSTILE_NAME, "roads", "school")
    assert chart.series[0].values == (6, 6, 2)
    assert chart.series[0].texts == (*["6* (42.9 %, 21.4–67.4)"] * 2, "2* (14.3 %, 4.0–39.9)")
    assert "n = 14" in chart.subtitle
    assert "* fewer than 10 participants" in chart.notes


def test_themes_by_gender_are_shares_of_each_gender(charts: dict[str, BarChart]):
    absolute, normalised = charts["themes_rqa_s01e01_by_gender"], charts["themes_rqa_s01e01_by_gender_normalised"]
    assert [bars.name for bars in absolute.series] == ["man (n = 9)", "woman (n = 5)"]
    assert absolute.subtitle == normalised.subtitle == "n = 14 whose gender is known, of 14 participants with a theme"
    assert "Small base: man, woman. Shares of fewer than 10 participants say little." in normalised.notes
    assert normalised.series[1].texts[1] == "60.0 %*, 23.1–88.2"
    assert normalised.series[1].intervals[1] == pytest.approx((23.07, 88.24), abs=0.01)
    assert values_of(absolute, 1) == {HOSTILE_NAME: 0, "roads": 3, "school": 2}
    assert values_of(normalised, 1) == {HOSTILE_NAME: 0.0, "roads": 60.0, "school": 40.0}


def test_ages_are_a_scale_and_age_groups_keep_their_order(season: Season, charts: dict[str, BarChart]):
    ages = next(coding for _, coding in season.questions if coding.analysis_file_key == "age")
    chart = chart_codes(season, ages, is_episode=False)
    assert chart.is_upright
    assert chart.labels[:2] == ("5", "6")
    groups = [label for label in charts["demographics_age_category"].labels if label[0].isdecimal()]
    assert groups == sorted(groups)


def test_every_chart_says_how_many_are_counted_in_which_unit_and_from_what(charts: dict[str, BarChart]):
    for chart in charts.values():
        assert chart.subtitle.startswith("n = ")
        assert chart.value_axis
        assert chart.notes[-1] == "Source: messages to EXAMPLE; participants who withdrew are left out."


def test_every_share_has_its_interval_and_a_word_on_what_it_tells(charts: dict[str, BarChart]):
    for name, chart in charts.items():
        shares = [text for bars in chart.series for text in bars.texts if "%" in text]
        assert all(re.search(r" %\*?, \d+\.\d–\d+\.\d", text) for text in shares), name
        assert bool(shares) == any(
            "95 % intervals (Wilson). Those who responded chose to" in note for note in chart.notes
        )
        assert bool(shares) == any(interval for bars in chart.series for interval in bars.intervals)


def test_an_empty_project_has_no_empty_charts(tmp_path: Path):
    root = DataRoot(tmp_path)
    root.generate()
    assert list(describe_charts(load_season(load_project(root.configuration), root.path))) == []


def test_long_names_that_begin_alike_stay_apart():
    labels = [f"{'a name as long as themes are in some projects, ' * 2}number {number}" for number in range(3)]
    assert len(set(shorten_labels(labels))) == 3


@pytest.mark.slow
def test_charts_are_drawn_once_and_returned_every_time(
    season: Season, charts: dict[str, BarChart], tmp_path: Path, caplog
):
    first = draw_charts(season, tmp_path, 1)
    assert [one.title for one in first] == [chart.title for chart in charts.values()]
    assert all(one.path.exists() and one.path.with_suffix(".svg").exists() for one in first)
    assert Image.open(first[0].path).width == 1350
    with caplog.at_level(logging.INFO):
        assert draw_charts(season, tmp_path, 1) == first
    assert f"Drew 0 of {len(first)} picture(s)" in caplog.text


@pytest.mark.slow
def test_charts_are_the_same_bytes_on_one_process_or_two(charts: dict[str, BarChart], tmp_path: Path):
    some = dict(list(charts.items())[:6])
    for folder, jobs in (("one", 1), ("two", 2)):
        draw_pictures(tmp_path / folder, some, ("png", "svg"), draw_bar_chart, find_fonts(["a"]), jobs)
    for name in some:
        for ending in ("png", "svg"):
            one, two = ((tmp_path / folder / f"{name}.{ending}").read_bytes() for folder in ("one", "two"))
            assert one == two


def draw(folder: Path, *names: str, chart: BarChart = CHART) -> int:
    return draw_pictures(folder, dict.fromkeys(names, chart), ("png",), draw_bar_chart, find_fonts(["a"]), 1)


def test_only_what_changed_is_drawn_again(tmp_path: Path):
    assert draw(tmp_path, "a", "b") == 2
    (tmp_path / "a.png").unlink()
    assert draw(tmp_path, "a", "b") == 1
    assert draw(tmp_path, "a", "b", chart=replace(CHART, subtitle="n = 4")) == 2
    (tmp_path / "drawn.json").write_text("{damaged")
    assert draw(tmp_path, "a", "b") == 2


def test_charts_no_longer_asked_for_go_and_other_files_stay(tmp_path: Path):
    (tmp_path / "mine.png").write_text("mine")
    draw(tmp_path, "a", "b")
    draw(tmp_path, "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.png", "drawn.json", "mine.png"]


@pytest.mark.parametrize("count", [0, 1, 3, 60, pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize("is_upright", [True, False])
def test_any_number_of_bars_is_drawn(count: int, is_upright: bool):
    labels = tuple(f"a long name of a code, number {number}" for number in range(count))
    values = tuple(range(1, count + 1))
    bars = Bars("_", values, tuple(map(str, values)))
    figure = draw_bar_chart(replace(CHART, labels=labels, series=(bars, bars), is_upright=is_upright))
    figure.draw_without_rendering()
    assert len(figure.axes[0].patches) == 2 * count
    assert len(figure.legends[0].texts) == 2


def test_letters_that_matplotlib_lacks_come_from_another_font():
    found = find_fonts(["Soomaali, Kiswahili, العربية, አማርኛ"])
    covered = frozenset().union(*(fonts._characters_of(path) for path in found))
    if ord("አ") not in covered:
        if os.environ.get("CI") == "true":
            pytest.fail("no font on this machine has Ethiopic letters; expected one where CI is true")
        pytest.skip("no font on this machine has Ethiopic letters: install fonts-noto-core")
    assert {ord(character) for character in "ŵ؟عአማ"} <= covered


def test_letters_that_no_font_has_are_warned_of_once_by_alphabet(caplog):
    assert len(find_fonts(["a\U0001e900\U000e0100"])) >= 1
    find_fonts(["plain"])
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) <= 1
    find_fonts(["\U0003fffd"])  # never a character: not printable, so not asked of a font
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == len(warnings)


def test_a_cache_of_fonts_that_is_built_is_no_warning(caplog):
    """Each container begins without one, and what is warned of is mailed."""
    logger = logging.getLogger("matplotlib.font_manager")
    logger.warning("Matplotlib is building the font cache; this may take a moment.")
    logger.warning("findfont: an invented warning")
    assert [record.message for record in caplog.records] == ["findfont: an invented warning"]
