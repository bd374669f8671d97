"""Keys of raw data: the result and the flow they belong to, and the part of the result they hold."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from engagement.configuration.raw_keys import (
    DEFAULT_RECOVERED_KEYS,
    RESULT_PARTS,
    RecoveredKeyNames,
    find_recovered_key,
    read_result_key,
)

_ONLY_DEFAULT = (DEFAULT_RECOVERED_KEYS,)


@lru_cache(maxsize=4096)
def split_key(raw_key: str, recovered: tuple[RecoveredKeyNames, ...] = _ONLY_DEFAULT) -> tuple[tuple[str, ...], str]:
    """Split a raw key into its result and its part of that result ("" for a key that stands alone).

    `recovered` are the keys of recovered messages: each set stands for one result, whatever its file is called.

    >>> split_key("Age (Time) - demographics")
    (('Age', 'demographics'), 'Time')
    >>> split_key("urn_type")
    (('urn_type',), '')
    """
    found = find_recovered_key(raw_key, recovered)
    if found is not None:
        names, part = found
        return (names[0],), part
    result = read_result_key(raw_key)
    if result is None or result.part not in RESULT_PARTS:
        return (raw_key,), ""
    return (result.category, result.flow), result.part


def find_unanswered_keys(
    values: Mapping[str, Any], recovered: tuple[RecoveredKeyNames, ...] = _ONLY_DEFAULT
) -> set[str]:
    """Find the keys of a run that say nothing: nulls, and all that travels with a null answer."""
    unanswered = {key for key, value in values.items() if value is None}
    for answers, keys in _group_by_result(tuple(values), recovered):
        if unanswered.issuperset(answers):
            unanswered.update(keys)
    return unanswered


@lru_cache(maxsize=4096)
def _group_by_result(
    raw_keys: tuple[str, ...], recovered: tuple[RecoveredKeyNames, ...]
) -> list[tuple[list[str], list[str]]]:
    """Yield, for each result with an answer key, the keys of the answer and all its keys."""
    groups: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
    for key in raw_keys:
        result, part = split_key(key, recovered)
        answers, keys = groups.setdefault(result, ([], []))
        keys.append(key)
        # A null answer can have a category too ("Other"): the text that was written decides.
        if part in ("Text", "Value"):
            answers.append(key)
    return [(answers, keys) for answers, keys in groups.values() if answers]
