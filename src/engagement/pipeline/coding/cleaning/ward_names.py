"""Read Kenya's ward names. Many also name other wards or constituencies, or are everyday words."""

import functools
from collections.abc import Iterator

from engagement.foundation.data_tables import read_table
from engagement.pipeline.coding.cleaning.gazetteer import Gazetteer, Leaf, Name, fold_kenyan
from engagement.pipeline.coding.cleaning.place_names import PlaceReader, kenyan_names
from engagement.pipeline.coding.cleaning.places import PlaceTable, kenyan_places

_WARD_WORDS = ("ward", "wadi")
_LONGEST_DOUBTFUL = 4  # in letters: a name this short is too often something else


@functools.cache
def kenyan_ward_reader() -> PlaceReader:
    """Read the wards of Kenya; counties, constituencies and towns named beside a ward identify it."""
    table = kenyan_places()
    names = kenyan_names(table)
    everyday = {
        name for row in read_table(__package__, "kenyan_ward_words") for name in row["names_that_are_words"].split(";")
    }
    wards: dict[str, frozenset[Leaf]] = {}
    for code in table.codes("ward"):
        for name in _names_of(table, code):
            wards[name] = wards.get(name, frozenset()) | {("ward", code)}
    units = {*table.codes("constituency"), *table.codes("county")}
    for name, leaves in wards.items():
        # The name may also mean a constituency or county, and so any ward in it. A town or an estate means the ward.
        wider = names.get(name)
        if wider is not None and (name in units or not leaves <= wider.leaves):
            leaves = leaves | wider.leaves
        names[name] = Name(leaves, is_word=name in everyday or len(name) <= _LONGEST_DOUBTFUL)
        for word in _WARD_WORDS:
            names.setdefault(f"{name} {word}", Name(wards[name]))
            names.setdefault(f"{word} {name}", Name(wards[name]))
    for code in table.codes("ward"):
        is_word = table.shared_names["ward"].get(code) in everyday
        names[code] = names.get(code) or Name(frozenset({("ward", code)}), is_word=is_word)
    gazetteer = Gazetteer(names, fold_kenyan, vowels_vary=False, keeps_like_sounds=True)
    return PlaceReader(table, gazetteer, frozenset(names))


def _names_of(table: PlaceTable, code: str) -> Iterator[str]:
    """Yield a ward's name, and both halves of a name with a slash in it."""
    name = table.shared_names["ward"].get(code, code)
    yield name
    if "/" in name:
        yield from (part.strip() for part in name.split("/"))
