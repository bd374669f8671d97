"""Figures for print: text stays text, series differ in grey, data lies beside, and mistakes are told with what to do."""

import argparse
import csv
import dataclasses
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from engagement.analysis.charts.drawing import BarChart, Bars
from engagement.analysis.figures.figures import HATCHES, choose_figures, describe_figures, draw_figure, draw_figures
from engagement.analysis.maps.maps import describe_maps, draw_maps
from engagement.analysis.maps.picture import MapPicture
from engagement.analysis.pictures.palette import SERIES
from engagement.analysis.tables.season import Season
from engagement.desk import figures as command
from engagement.foundation.errors import InputError, UsageError
from picture_season import HOSTILE_NAME, make_season, region_map

BAY = {"Level": "district", "CodedField": "district_coded", "GenerateEpisodeMaps": True, "OnlyIn": ["Bay"]}
THEMES, REGIONS = "graphs/themes_rqa_s01e01_by_gender", "maps/region/rqa_s01e01"


@pytest.fixture(scope="module")
def season(tmp_path_factory) -> Season:
    return make_season(tmp_path_factory.mktemp("season"), [region_map(GenerateEpisodeMaps=True), BAY])


def run(*arguments: object) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    command.run(parser.parse_args([str(argument) for argument in arguments]))


def root_of(season: Season) -> Path:
    return next(path.parents[1] for path in season.project.path.parents[1].rglob("State/analysis"))


def with_formats(season: Season, *formats: str) -> Season:
    """The season with other map formats."""
    changed = dataclasses.replace(season)
    object.__setattr__(changed, "settings", season.settings.model_copy(update={"map_formats": formats}))
    return changed


def texts_of(path: Path) -> list[str]:
    return [element.text for element in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_an_svg_holds_its_text_as_text_labels_with_a_halo_too(season, tmp_path):
    known = describe_figures(season)
    draw_figures(tmp_path, {name: known[name] for name in (THEMES, REGIONS)}, "svg", 1)
    assert {HOSTILE_NAME, "roads", "3*"} < set(texts_of(tmp_path / f"{THEMES}.svg"))
    # Two lines of a label are two texts; the other six squares' numbers are not there.
    assert {"banadir", "4*", "bay", "1*"} < set(texts_of(tmp_path / f"{REGIONS}.svg"))


def test_a_pdf_holds_text_and_its_fonts(season, tmp_path, caplog):
    caplog.set_level("INFO")
    draw_figures(tmp_path, {THEMES: describe_figures(season)[THEMES]}, "pdf", 1)
    content = (tmp_path / f"{THEMES}.pdf").read_bytes()
    assert b"/FontFile2" in content
    assert b"/ToUnicode" in content
    assert b"/Type3" not in content
    assert not [record for record in caplog.records if record.name.startswith("fontTools")]
    draw_figures(tmp_path / "again", {THEMES: describe_figures(season)[THEMES]}, "pdf", 1)
    assert (tmp_path / "again" / f"{THEMES}.pdf").read_bytes() == content


def test_the_data_of_a_figure_lies_beside_it(season, tmp_path):
    known = describe_figures(season)
    names = ("graphs/themes_rqa_s01e01", REGIONS, f"{REGIONS}_share")
    draw_figures(tmp_path, {name: known[name] for name in names}, "svg", 1)
    bars = {row["Label"]: row for row in rows_of(tmp_path / f"{names[0]}.csv")}
    assert bars["roads"]["Value"] == "6"
    assert float(bars["roads"]["Low"]) < 6 < float(bars["roads"]["High"])
    places = {row["Place"]: row for row in rows_of(tmp_path / f"{REGIONS}.csv")}
    assert places["banadir"] == {"Place": "banadir", "Participants": "4", "Base": "", "Share %": ""}
    # No share of fewer than ten.
    assert rows_of(tmp_path / f"{names[2]}.csv")[0] == {**places["banadir"], "Base": "4"}


def test_series_differ_without_their_colours():
    series = tuple(Bars(colour, (2, 1), ("2", "1")) for colour in SERIES)
    figure = draw_figure(BarChart("title", "subtitle", "Participants", ("a", "b"), series))
    hatches = [bars[0].get_hatch() or "" for bars in figure.axes[0].containers]
    assert hatches == list(HATCHES)
    assert len(set(hatches)) == len(SERIES)
    assert [square.get_hatch() or "" for square in figure.legends[0].legend_handles] == hatches


def test_figures_are_chosen_by_name_folder_or_pattern(season):
    known = describe_figures(season)
    assert list(choose_figures(known, ["themes_rqa_s01e01.png", "maps/district"])) == [
        "graphs/themes_rqa_s01e01", "maps/district/total", "maps/district/rqa_s01e01", "maps/district/rqa_s01e01_share",
    ]  # fmt: skip
    assert set(choose_figures(known, ["themes_*"])) == {name for name in known if name.startswith("graphs/themes_")}
    assert choose_figures(known, []) == known


def test_unknown_names_are_told_with_the_nearest(season):
    with pytest.raises(UsageError, match=r"'trafic_by_week': no such figure; nearest: 'traffic_by_week'(.|\n)*'zzz'"):
        choose_figures(describe_figures(season), ["trafic_by_week", "totals", "zzz"])


def test_the_command_says_what_is_missing(season, tmp_path):
    with pytest.raises(UsageError, match="no such directory; expected the data root"):
        run(tmp_path / "nowhere", "--format", "svg")
    with pytest.raises(InputError, match="expected what stage 3 leaves for the analysis"):
        run(tmp_path, "--format", "svg")
    with pytest.raises(
        UsageError, match=r"boundaries of your own, 'squares.geojson'; expected --pipeline-configuration"
    ):
        run(root_of(season), "--format", "svg")


def test_the_command_draws_what_is_asked_for_and_keeps_earlier_figures(season, tmp_path):
    root = root_of(season)
    run(root, "--format", "svg", "--only", "graphs/repeat_participations", "--folder", tmp_path)
    run(
        root,
        "--format",
        "svg",
        "--only",
        "region/total",
        "--folder",
        tmp_path,
        "--pipeline-configuration",
        season.project.path,
    )
    made = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))
    assert made == [
        "graphs/repeat_participations.csv", "graphs/repeat_participations.svg", "maps/region/total.csv", "maps/region/total.svg",
    ]  # fmt: skip


def picture_of(season: Season, name: str) -> MapPicture:
    return describe_maps(season)[name][0]


def test_an_episode_has_a_map_of_counts_and_one_of_shares(season):
    counts, shares = picture_of(season, "region/rqa_s01e01"), picture_of(season, "region/rqa_s01e01_share")
    # All of the 14 named a theme, and five of them a place.
    assert {place.name: place.count for place in counts.places if place.count} == {"banadir": 4, "bay": 1}
    assert counts.notes == ("Not on the map: no known place 9*.", "* fewer than 10 participants")
    assert {place.name: place.base for place in shares.places if place.count} == {"banadir": 4, "bay": 1}
    assert shares.subtitle == "n = 5 of 5 participants whose region is known"
    assert "region/rqa_s01e02" not in describe_maps(season), "nobody has a theme of it"


def test_places_elsewhere_are_left_out_and_counted(season):
    picture = picture_of(season, "district/total")
    assert [place.count for place in picture.places if place.count is not None] == [1]
    assert picture.subtitle == "n = 1 participant whose district is known, in Bay alone"
    assert any("other places 4" in note for note in picture.notes)
    # Mogadishu's sub-districts are not in Bay.
    assert not picture.insets


def test_a_region_that_no_place_lies_in_is_told(tmp_path, caplog):
    season = make_season(tmp_path, [{**BAY, "OnlyIn": ["Atlantis"]}])
    assert describe_maps(season) == {}
    assert "No map of district: none of its places is, or lies in, 'Atlantis'" in caplog.text


def test_map_files_come_only_where_asked_for_and_go_with_the_request(tmp_path):
    # Few maps: every one is drawn four times.
    season = make_season(tmp_path / "season", [region_map()])
    tmp_path /= "maps"
    drawn = {"png": season, "svg": with_formats(season, "svg"), "pdf": with_formats(season, "svg", "pdf")}
    found = {}
    for name, one in drawn.items():
        draw_maps(one, tmp_path)
        found[name] = {path.relative_to(tmp_path).as_posix() for path in (tmp_path / "region").iterdir()}
    assert {Path(name).suffix for name in found["png"]} == {".png"}
    assert {"region/boundaries.svg", "region/total.svg", "region/total.png"} < found["svg"]
    assert "region/boundaries.pdf" in found["pdf"]
    assert {"banadir", "bay", "lower_shabelle"} <= set(texts_of(tmp_path / "region" / "boundaries.svg"))
    assert not re.search("Participants|\\d %", " ".join(texts_of(tmp_path / "region" / "boundaries.svg")))
    draw_maps(season, tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in (tmp_path / "region").iterdir()} == found["png"]
