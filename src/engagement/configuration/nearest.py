"""What was perhaps meant by a name that nobody knows."""

import difflib
from collections.abc import Iterable

_FEW = 10


def find_nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names that look like this one, the nearest first; upper and lower case count as the same."""
    folded = {candidate.casefold(): candidate for candidate in sorted(known, reverse=True)}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=most, cutoff=0.6)
    return [folded[match] for match in near]


def nearest(name: str, known: Iterable[str]) -> str:
    """Name what was perhaps meant, as the end of a sentence: "; nearest: 'age', 'ages'.", all of a few, or just ".".

    >>> nearest("agge", ["age", "gender"]), nearest("x", ["age", "gender"]), nearest("x", [])
    ("; nearest: 'age'.", "; known: 'age', 'gender'.", '.')
    """
    candidates = list(dict.fromkeys(known))
    near = find_nearest(name, candidates)
    if near:
        return f"; nearest: {', '.join(map(repr, near))}."
    return f"; known: {', '.join(map(repr, candidates))}." if 0 < len(candidates) < _FEW else "."
