"""Look up place names, spelt as in the tables or a little differently.

A place stands for a set of leaves, the finest places that it contains: a constituency for itself, a county for all its
constituencies. Two places agree if their sets overlap, so "Nairobi Kibera" is read as finely as possible.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rapidfuzz import process
from rapidfuzz.distance import OSA

from engagement.pipeline.coding.cleaning.text import plain, squeeze, words

Leaf = tuple[str, str]  # level and code

_SHORTEST_FOLDED = 5  # shorter names are too often other words to be folded or guessed
_SHORTEST_GUESSED_FREELY = 7
_FEWEST_CONSONANTS = 2  # fewer say too little to identify a name
_VOWELS = re.compile(r"[aeiouyw]")


@dataclass(frozen=True)
class Name:
    """A place name. A place outside this country has no leaves."""

    leaves: frozenset[Leaf]
    also_in: frozenset[Leaf] = frozenset()  # where else a border place or a larger namesake may lie
    is_word: bool = False  # also an everyday word: a place only if the answer says nothing else


class Gazetteer:
    """Looks names up: as they are spelt, then folded to how they sound, then allowing a slip or two."""

    def __init__(
        self, names: Mapping[str, Name], fold: Callable[[str], str], vowels_vary: bool, keeps_like_sounds: bool = False
    ) -> None:
        """Index the names.

        `vowels_vary`: many people spell a name with other vowels, so its consonants identify it. With `keeps_like_sounds`, names
        that sound alike stand for all their places together; otherwise for those of the first.
        """
        self._fold = fold
        self._vowels_vary = vowels_vary
        self._shortest_with_two_slips = 8 if vowels_vary else 10
        self._spelt: dict[str, Name] = {}
        self._folded: dict[str, Name] = {}
        for name, place in names.items():
            key = spelling_key(words(plain(name)))
            other = self._spelt.get(key) if keeps_like_sounds else None
            self._spelt[key] = place if other is None else _join(other, place)
        for key, place in self._spelt.items():
            sound = fold(key)
            if len(sound) >= _SHORTEST_FOLDED:
                first = self._folded.setdefault(sound, place)
                self._folded[sound] = _join(first, place) if keeps_like_sounds else first
        self._by_first_letter: dict[str, list[str]] = {}
        for key in self._folded:
            self._by_first_letter.setdefault(_first_sound(key), []).append(key)

    def find(self, span: Iterable[str]) -> Name | None:
        """Look up a name by its words, written together or apart."""
        key = spelling_key(span)
        return self._spelt.get(key) or self._folded.get(self._fold(key))

    def is_spelt(self, word: str) -> bool:
        """Tell whether a word is a name exactly as spelt in the tables."""
        return squeeze(word) in self._spelt

    def guess(self, span: Iterable[str]) -> Name | None:
        """Find the one place whose name is a slip or two away; None if there is none, or more than one.

        A name with the same consonants wins over a nearer one without; where vowels vary, two of them may be wrong. Otherwise
        one consonant may be wrong. Digits tell places apart: a name with digits is never taken for a slip.
        """
        key = self._fold(spelling_key(span))
        if len(key) < _SHORTEST_FOLDED or not key.isalpha():
            return None
        candidates = self._by_first_letter.get(_first_sound(key), [])
        consonants = _consonants(key)
        slips = 2 if len(consonants) > _FEWEST_CONSONANTS else 1
        near = process.extract(key, candidates, scorer=OSA.distance, processor=None, score_cutoff=slips, limit=12)
        if not near:
            return None
        sounding = [
            (name, distance)
            for name, distance, _ in near
            if _consonants(name) == consonants and (self._vowels_vary or distance == 1)
        ]
        if not sounding:
            allowed = 2 if len(key) >= self._shortest_with_two_slips else 1
            sounding = [
                (name, distance)
                for name, distance, _ in near
                if distance <= allowed and _is_one_consonant_off(name, key)
            ]
        if not sounding:
            return None
        nearest = min(distance for _, distance in sounding)
        places = {self._folded[name] for name, distance in sounding if distance == nearest}
        return places.pop() if len(places) == 1 else None


def _join(first: Name, second: Name) -> Name:
    """Merge two names that are spelt alike or sound alike: the result stands for the places of both."""
    return first if first.leaves == second.leaves else replace(first, leaves=first.leaves | second.leaves)


def _is_one_consonant_off(name: str, key: str) -> bool:
    """Tell whether at most one consonant is wrong; in short names only a missing or an extra one counts."""
    other, consonants = _consonants(name), _consonants(key)
    if len(consonants) <= _FEWEST_CONSONANTS:
        return False
    if len(key) < _SHORTEST_GUESSED_FREELY:
        return len(other) != len(consonants)
    return OSA.distance(other, consonants) <= 1


def spelling_key(span: Iterable[str]) -> str:
    """Join the words of a name and reduce each run of a letter to one: the key for exact look-ups."""
    return squeeze("".join(span))


def fold_somali(key: str) -> str:
    """Fold spellings of the same Somali sound, so that Somali, English and Italian spellings match.

    >>> fold_somali("beydhabo"), fold_somali("caynabo"), fold_somali("xamarweyne")
    ('baydabo', 'aynabo', 'hamarwayne')
    """
    return _fold_sounds(key, _SOMALI_SOUNDS)


def fold_kenyan(key: str) -> str:
    """Fold the sounds of Kenyan names that people swap in writing: l and r, y and i, w and u, th and t.

    >>> fold_kenyan("limulu"), fold_kenyan("nyandarwa"), fold_kenyan("matare")
    ('rimuru', 'niandarua', 'matare')
    """
    return _fold_sounds(key, _KENYAN_SOUNDS)


def _fold_sounds(key: str, sounds: Sequence[tuple[str, str]]) -> str:
    for sound, letter in sounds:
        key = key.replace(sound, letter)
    return squeeze(key)


_SOMALI_SOUNDS = (
    ("kh", "h"),
    ("x", "h"),
    ("c", ""),
    ("dh", "d"),
    ("q", "k"),
    ("ey", "ay"),
    ("ai", "ay"),
    ("ei", "ay"),
    ("ow", "aw"),
)
_KENYAN_SOUNDS = (("th", "t"), ("l", "r"), ("y", "i"), ("w", "u"))


def _first_sound(key: str) -> str:
    """Return the sound that a guess must begin with; people swap g and k ("gardho", "qardho")."""
    return {"g": "k", "e": "i", "o": "u", "v": "w"}.get(key[0], key[0])


def _consonants(key: str) -> str:
    return _VOWELS.sub("", key)
