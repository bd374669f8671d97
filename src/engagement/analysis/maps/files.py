"""Reading the boundaries that a project supplies, as GeoJSON or a shapefile."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engagement.analysis.maps.boundaries import Boundaries, fold_name
from engagement.foundation.errors import ConfigurationError
from engagement.foundation.files import read_json

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_AREAS = ("Polygon", "MultiPolygon")
# An image is about 1,500 pixels wide: finer detail is invisible, and slow to draw.
_DETAIL = 3000
type Feature = tuple[Mapping[str, Any], BaseGeometry]  # properties and shape


def read_boundaries(path: Path, names: Sequence[Sequence[str]]) -> Boundaries:
    """Read the boundaries in a file, and find the property that names the places.

    `names` lists the possible names of each place in the code scheme; the property with most of these names is used.
    Shapes with the same name are joined.

    Raises
    ------
    ConfigurationError
        The file is missing, in neither format, not in degrees, or names none of the places.
    """
    from shapely import simplify, union_all

    features = list(_read_shapefile(path) if path.suffix.casefold() in (".shp", ".zip") else _read_geojson(path))
    if not features:
        raise ConfigurationError(
            f"{path}: contains no polygon; expected the boundaries of places. Choose another file."
        )
    bounds = [shape.bounds for _, shape in features]
    west, south = min(box[0] for box in bounds), min(box[1] for box in bounds)
    east, north = max(box[2] for box in bounds), max(box[3] for box in bounds)
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise ConfigurationError(
            f"{path}: coordinates from {west:g}, {south:g} to {east:g}, {north:g}; expected degrees of longitude and latitude "
            "(WGS 84). Convert the file."
        )
    key = _choose_property(path, features, names)
    pieces: dict[str, list[BaseGeometry]] = defaultdict(list)
    for properties, shape in features:
        pieces[fold_name(str(properties.get(key, "")))].append(shape)
    tolerance = max(east - west, north - south) / _DETAIL
    shapes = {name: simplify(union_all(found), tolerance) for name, found in pieces.items() if name}
    return Boundaries(shapes, f"Boundaries: {path.name}")


def _choose_property(path: Path, features: Sequence[Feature], names: Sequence[Sequence[str]]) -> str:
    wanted = [frozenset(map(fold_name, of_one)) for of_one in names]
    keys = sorted({key for properties, _ in features for key in properties})

    def count_found(key: str) -> int:
        called = {fold_name(str(properties.get(key, ""))) for properties, _ in features}
        return sum(not of_one.isdisjoint(called) for of_one in wanted)

    best = max(keys, key=count_found, default="")
    if not best or not count_found(best):
        raise ConfigurationError(
            f"{path}: none of its properties ({', '.join(keys) or 'it has none'}) names a place of the code scheme; expected a "
            "property with the codes' StringValues, DisplayTexts or MatchValues. Add one."
        )
    return best


def _read_geojson(path: Path) -> Iterable[Feature]:
    from shapely import make_valid
    from shapely.errors import ShapelyError
    from shapely.geometry import shape

    document = read_json(path, ConfigurationError, what="boundaries (GeoJSON or a shapefile)")
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        raise ConfigurationError(f"{path}: no 'features'; expected a GeoJSON FeatureCollection. Convert the file.")
    for number, feature in enumerate(features):
        try:
            geometry = feature["geometry"]
            if geometry is not None and geometry["type"] in _AREAS:
                yield feature.get("properties") or {}, make_valid(shape(geometry))
        except (ShapelyError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigurationError(
                f"{path}: features[{number}] is not a feature with a polygon ({type(error).__name__}); expected GeoJSON. "
                "Correct the file."
            ) from None


def _read_shapefile(path: Path) -> Iterable[Feature]:
    import shapefile
    from shapely import make_valid
    from shapely.geometry import shape

    try:
        with shapefile.Reader(str(path)) as reader:
            for record in reader.iterShapeRecords():
                geometry = record.shape.__geo_interface__
                if geometry["type"] in _AREAS:
                    yield record.record.as_dict(), make_valid(shape(geometry))
    except (shapefile.ShapefileException, struct.error, OSError, ValueError, IndexError) as error:
        raise ConfigurationError(
            f"{path}: could not be read as a shapefile ({type(error).__name__}); expected the .shp with its .dbf and .shx beside "
            "it. Check the files."
        ) from None
