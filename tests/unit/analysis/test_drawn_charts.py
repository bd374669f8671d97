"""Charts: what they count, that they are drawn once and the same, and letters of every alphabet."""

import logging
import os
import re
import subprocess
import sys
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
from example_project import DataRoot, coda_message, episode_run, label, survey_run, write_project
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


def test_themes_by_gender_are_counts_where_groups_are_too_small_for_shares(charts: dict[str, BarChart]):
    absolute = charts["themes_rqa_s01e01_by_gender"]
    assert [bars.name for bars in absolute.series] == ["man (n = 9†)", "woman (n = 5†)"]
    assert values_of(absolute, 1) == {HOSTILE_NAME: 0, "roads": 3, "school": 2}
    # Nine men and five women: no percentage of either, so that there is nothing to draw.
    assert "themes_rqa_s01e01_by_gender_normalised" not in charts


@pytest.fixture(scope="module")
def by_gender(tmp_path_factory: pytest.TempPathFactory) -> BarChart:
    """Forty men, twelve women, and nine who gave "qof", of whom half write of water."""
    folder = tmp_path_factory.mktemp("genders")

    def add_other(schemes: dict) -> None:
        code = {
            **schemes["gender"]["Codes"][1],
            "CodeID": "gender-other",
            "StringValue": "other",
            "DisplayText": "other",
        }
        schemes["gender"]["Codes"].insert(2, {**code, "NumericValue": 77, "MatchValues": ["other"]})

    root = DataRoot(folder, write_project(folder / "configuration", change_schemes=add_other))
    genders = ["nin"] * 40 + ["naag"] * 12 + ["qof"] * 9
    root.write_runs(
        *(episode_run(f"p{n}", "biyo" if n % 2 else "waddo", run_id=n) for n in range(len(genders))),
        *(survey_run(f"p{n}", 100 + n, gender=text) for n, text in enumerate(genders)),
    )
    codes = (("biyo", "water"), ("waddo", "roads"))
    root.write_coded("s01e01", *(coda_message(text, label("episode1", code)) for text, code in codes))
    codes = (("nin", "man"), ("naag", "woman"), ("qof", "other"))
    root.write_coded("gender", *(coda_message(text, label("gender", code)) for text, code in codes))
    root.generate()
    loaded = load_season(load_project(root.configuration), root.path)
    return next(one.chart for one in describe_charts(loaded) if one.name.endswith("_by_gender_normalised"))


def test_there_is_no_percentage_of_fewer_than_ten_of_a_gender(by_gender: BarChart):
    assert [bars.name for bars in by_gender.series] == ["man (n = 40)", "woman (n = 12†)", "other (n = 9†)"]
    assert by_gender.subtitle == "n = 61 whose gender is known, of 61 participants with a theme"
    man, woman, other = by_gender.series
    place = by_gender.labels.index("water")
    assert (man.values[place], woman.values[place], other.values[place]) == (50.0, 50.0, 0.0)
    assert man.texts[place] == "50.0 %, 35.2–64.8"
    assert woman.texts[place] == "50.0 %*, 25.4–74.6"
    assert woman.intervals[place] == pytest.approx((25.38, 74.62), abs=0.01)
    assert other.texts[place] == "4* of 9"
    assert other.intervals[place] is None
    assert "† Small base: there is no percentage of fewer than 10 participants." in by_gender.notes
    assert "† Small base: shares of fewer than 30 participants say little." in by_gender.notes


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


def test_settings_of_the_user_for_matplotlib_change_nothing(tmp_path: Path):
    draw(tmp_path / "own", "a")
    (tmp_path / "matplotlibrc").write_text("axes.facecolor: red\naxes.labelsize: 30\n")
    # It is read where matplotlib is imported.
    code = "import sys, pathlib, unit.analysis.test_drawn_charts as tests; tests.draw(pathlib.Path(sys.argv[1]), 'a')"
    environment = {
        **os.environ,
        "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "theirs")], check=True, env=environment)
    assert (tmp_path / "theirs" / "a.png").read_bytes() == (tmp_path / "own" / "a.png").read_bytes()


def test_only_what_changed_is_drawn_again(tmp_path: Path):
    assert draw(tmp_path, "a", "b") == 2
    (tmp_path / "a.png").unlink()
    assert draw(tmp_path, "a", "b") == 1
    assert draw(tmp_path, "a", "b", chart=replace(CHART, subtitle="n = 4")) == 2
    (tmp_path / "drawn.json").write_text("{damaged")
    assert draw(tmp_path, "a", "b") == 2


@pytest.mark.parametrize("damage", [b"", b"something else"], ids=["cut off", "replaced"])
def test_a_damaged_picture_is_drawn_again(tmp_path: Path, damage: bytes):
    draw(tmp_path, "a", "b")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(damage)
    assert draw(tmp_path, "a", "b") == 1
    assert (tmp_path / "a.png").read_bytes() == whole
    assert draw(tmp_path, "a", "b") == 0


@pytest.mark.parametrize(
    "notes", ['["a"]', '{"a": "0123"}', '{"a": {"from": "0"}}', '{"../a": {"from": "0", "files": []}}']
)
def test_notes_of_another_shape_are_not_believed(tmp_path: Path, notes: str):
    draw(tmp_path, "a")
    (tmp_path / "drawn.json").write_text(notes)
    assert draw(tmp_path, "a") == 1


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
