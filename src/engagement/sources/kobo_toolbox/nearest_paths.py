"""Guess which path of a form is meant: questions move between groups, and keep their own names."""

from collections.abc import Collection

from engagement.configuration.nearest import find_nearest, nearest

_MOST = 3


def nearest_path(path: str, known: Collection[str]) -> str:
    """Suggest paths as the end of a sentence: first of questions with the same name, then a similar one.

    >>> nearest_path("age", ["about/age", "about/ago"]), nearest_path("old/fone", ["old/zone/x", "about/phone"])
    ("; nearest: 'about/age'.", "; nearest: 'about/phone'.")
    """
    by_name: dict[str, list[str]] = {}
    for one in known:
        by_name.setdefault(_name_of(one), []).append(one)
    name = _name_of(path)
    similar = by_name.get(name) or [one for near in find_nearest(name, by_name) for one in by_name[near]]
    if not similar:
        return nearest(path, known)
    in_order = dict.fromkeys([*find_nearest(path, similar), *similar])
    return f"; nearest: {', '.join(map(repr, list(in_order)[:_MOST]))}."


def _name_of(path: str) -> str:
    return path.rpartition("/")[2]
