"""Read answers that name a place: find its code at the level that was asked for."""

import functools
from collections.abc import Iterator

from engagement.foundation.data_tables import read_table
from engagement.pipeline.coding.cleaning.gazetteer import Gazetteer, Leaf, Name, fold_kenyan, fold_somali
from engagement.pipeline.coding.cleaning.places import PlaceTable, kenyan_places, somali_places
from engagement.pipeline.coding.cleaning.text import doubt_words, is_neutral, plain, stop_words, words

_LONGEST_NAME = 4  # in words
_MOST_UNKNOWN_WORDS = 4  # beside a name spelt as in the tables
_MOST_GUESSED_WORDS = 3
_DIRECTIONS = {
    "mashariki": "east",
    "magharibi": "west",
    "kaskazini": "north",
    "kasikazini": "north",
    "kusini": "south",
    "kati": "central",
}
# After one of these, a name that is also a word is that word: "waan karaan" is "we can".
_BEFORE_VERBS = frozenset({"waan", "wan", "way", "wey", "wuu", "waa", "aan", "baan", "si", "kari", "inaan"})
_PART_WORDS = frozenset({"north", "south", "east", "west", "central", "rural", "town", "township"})


class PlaceReader:
    """Reads the places of one country from an answer."""

    def __init__(self, table: PlaceTable, gazetteer: Gazetteer, names: frozenset[str]) -> None:
        self.names = names
        self._table = table
        self._gazetteer = gazetteer

    def read(self, level: str, text: str) -> str | None:
        """Return the code of the one place at `level` that an answer names, or that its places lie in."""
        found = [_DIRECTIONS.get(word, word) for word in words(plain(text))]
        if not found or not doubt_words().isdisjoint(found):
            return None
        leaves = _overlap(self._find_names(found))
        codes = {self._code_at(level, leaf) for leaf in leaves}
        return codes.pop() if len(codes) == 1 else None

    def _find_names(self, found: list[str]) -> list[Name]:
        """Find the names in an answer; none at all if too many of its words are not understood."""
        names, unknown = self._find_spelt_names(found)
        if unknown and any(name.is_word for name in names):
            # "marka" among other words is "when".
            names = [name for name in names if not name.is_word]
            if not names:
                return []
        if not unknown:
            return names
        if len(unknown) <= _MOST_GUESSED_WORDS:
            content = [word for word in found if not is_neutral(word)]
            whole = self._guess_whole(content)
            if whole is not None:
                return [whole]
            names = names + list(self._guess_names(unknown))
        return names if len(unknown) <= _MOST_UNKNOWN_WORDS else []

    def _find_spelt_names(self, found: list[str]) -> tuple[list[Name], list[str]]:
        """Take the longest names from left to right; return them and the other words that are not neutral."""
        names, unknown, start = [], [], 0
        while start < len(found):
            for end in range(min(start + _LONGEST_NAME, len(found)), start, -1):
                name = self._find_span(found[start:end])
                if name is not None and not (name.is_word and start and found[start - 1] in _BEFORE_VERBS):
                    names.append(name)
                    start = end
                    break
            else:
                word = found[start]
                if not is_neutral(word):
                    unknown.append(word)
                start += 1
        return names, unknown

    def _find_span(self, span: list[str]) -> Name | None:
        if len(span) == 1:
            word = span[0]
            if word in stop_words():
                # Folding would turn "luck" into "luuk"; a name that is also a word counts only as spelt in the table.
                name = self._gazetteer.find(span) if self._gazetteer.is_spelt(word) else None
                return name if name is not None and name.is_word and word in self.names else None
            name = self._gazetteer.find(span)
            if name is None and len(word) > 6 and word.endswith("ni"):
                name = self._gazetteer.find([word[:-2]])  # Swahili "in": mombasani
            return name
        if all(word in stop_words() or word.isdigit() for word in span) and not self._gazetteer.is_spelt("".join(span)):
            return None
        return self._gazetteer.find(span)

    def _guess_whole(self, content: list[str]) -> Name | None:
        if not 1 < len(content) <= _MOST_GUESSED_WORDS:
            return None
        return self._gazetteer.guess(content)

    def _guess_names(self, unknown: list[str]) -> Iterator[Name]:
        for word in unknown:
            if word not in stop_words() and not self._gazetteer.is_spelt(word):
                name = self._gazetteer.guess([word])
                if name is not None and not (name.is_word and len(unknown) > 1):
                    yield name

    def _code_at(self, level: str, leaf: Leaf) -> str | None:
        leaf_level, code = leaf
        if leaf_level == level:
            return code
        coarser = self._table.levels[self._table.levels.index(leaf_level) + 1 :]
        ancestors = dict(zip(coarser, self._table.ancestors(leaf_level, code), strict=True))
        return ancestors.get(level)


@functools.cache
def somali_reader() -> PlaceReader:
    """Read the places of Somalia, except states and zones: which districts they hold is disputed."""
    table = somali_places()
    names = _code_names(table, ("region", "district", "mogadishu_sub_district"))
    names = _add_names(table, names, "somali_place_names")
    return PlaceReader(table, Gazetteer(names, fold_somali, vowels_vary=True), frozenset(names))


@functools.cache
def kenyan_reader() -> PlaceReader:
    """Read the places of Kenya except wards; towns and estates stand for their constituency or county."""
    table = kenyan_places()
    levels = table.levels[1:]
    table = PlaceTable(levels, {level: table.parents[level] for level in levels})
    names = kenyan_names(table)
    return PlaceReader(table, Gazetteer(names, fold_kenyan, vowels_vary=False), frozenset(names))


def kenyan_names(table: PlaceTable) -> dict[str, Name]:
    """Name the counties, constituencies, towns and estates of Kenya, for the finest places of the table."""
    names = _code_names(table, ("county", "constituency"))
    for other_names in (_turned_names(table), _whole_names(table)):
        names = other_names | names
    return _add_names(table, names, "kenyan_place_names")


def _add_names(table: PlaceTable, names: dict[str, Name], names_table: str) -> dict[str, Name]:
    """Add the names in a table of names to the names of codes."""
    for row in read_table(__package__, names_table):
        level, code = row["level"], row["code"]
        leaves = _leaves(table, level, code) if code else frozenset()
        also_in = frozenset().union(*(_leaves(table, level, other) for other in row["also_in"].split(";") if other))
        for column, is_word in (("names", False), ("names_that_are_words", True)):
            for name in filter(None, row[column].split(";")):
                names[name] = Name(leaves, also_in, is_word)
    return names


def _code_names(table: PlaceTable, levels: tuple[str, ...]) -> dict[str, Name]:
    """Name each place by its code; where two share a code, read the finer one and note the coarser one."""
    names: dict[str, Name] = {}
    for level in levels:
        for code in table.codes(level):
            coarser = names.get(code)
            names[code] = Name(_leaves(table, level, code), coarser.leaves if coarser else frozenset())
    return names


def _turned_names(table: PlaceTable) -> dict[str, Name]:
    """Name constituencies with the direction on the other side: "east embakasi"."""
    names = {}
    for code in table.codes("constituency"):
        first, *rest = code.split()
        *start, last = code.split()
        for turned, part in (([last, *start], last), ([*rest, first], first)):
            if part in _PART_WORDS:
                names[" ".join(turned)] = Name(_leaves(table, "constituency", code))
    return names


def _whole_names(table: PlaceTable) -> dict[str, Name]:
    """Name areas that were divided into constituencies: "embakasi" is five of them, all in one county."""
    parts: dict[str, set[Leaf]] = {}
    for code in table.codes("constituency"):
        kept = [word for word in code.split() if word not in _PART_WORDS]
        if len(kept) < len(code.split()):
            parts.setdefault(" ".join(kept), set()).update(_leaves(table, "constituency", code))
    return {whole: Name(frozenset(leaves)) for whole, leaves in parts.items()}


def _leaves(table: PlaceTable, level: str, code: str) -> frozenset[Leaf]:
    """Return the finest places in a place; a district without sub-districts is its own finest place."""
    places = {code}
    for index in range(table.levels.index(level), 0, -1):
        finer, coarser = table.levels[index - 1], table.levels[index]
        inside = {place for place in table.codes(finer) if table.parent_of(finer, place) in places}
        if not inside:
            return frozenset((coarser, place) for place in places)
        places = inside
    return frozenset((table.levels[0], place) for place in places)


def _overlap(names: list[Name]) -> frozenset[Leaf]:
    """Return the leaves that all names share; none if two contradict each other, or there is no name."""
    if not names:
        return frozenset()
    narrow = frozenset.intersection(*(name.leaves for name in names))
    return narrow or frozenset.intersection(*(name.leaves | name.also_in for name in names))
