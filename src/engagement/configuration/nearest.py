"""Guess the meaning of an unknown name."""

import difflib
from collections.abc import Iterable

_FEW = 10
_FEW_LETTERS = 2


def find_nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Find known names that look like this one, the nearest first; ignores upper and lower case."""
    folded = {candidate.casefold(): candidate for candidate in sorted(known, reverse=True)}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=most, cutoff=0.6)
    return [folded[match] for match in near]


def is_misspelling(name: str, other: str) -> bool:
    """Check if two names differ only in upper and lower case, or in one or two letters.

    >>> is_misspelling("rqa_S01E01_raw", "rqa_s01e01_raw"), is_misspelling("gendr_raw", "gender_raw"), is_misspelling("a", "b")
    (True, True, False)
    """
    name, other = name.casefold(), other.casefold()
    if abs(len(name) - len(other)) > _FEW_LETTERS or min(len(name), len(other)) <= _FEW_LETTERS:
        return name == other
    # Levenshtein's distance, row by row.
    distances = list(range(len(other) + 1))
    for row, letter in enumerate(name, 1):
        before, distances[0] = distances[0], row
        for column, other_letter in enumerate(other, 1):
            change = before + (letter != other_letter)
            before = distances[column]
            distances[column] = min(change, before + 1, distances[column - 1] + 1)
    return distances[-1] <= _FEW_LETTERS


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest names as the end of a sentence: "; nearest: 'age', 'ages'.", all of a few, or just ".".

    >>> nearest("agge", ["age", "gender"]), nearest("x", ["age", "gender"]), nearest("x", [])
    ("; nearest: 'age'.", "; known: 'age', 'gender'.", '.')
    """
    candidates = list(dict.fromkeys(known))
    near = find_nearest(name, candidates)
    if near:
        return f"; nearest: {', '.join(map(repr, near))}."
    return f"; known: {', '.join(map(repr, candidates))}." if 0 < len(candidates) < _FEW else "."
