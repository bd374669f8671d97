"""Keys of raw data: which result of which flow they belong to, and which part of it they are."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from engagement.configuration.raw_keys import RECOVERED_KEYS, RESULT_PARTS, read_result_key


@lru_cache(maxsize=4096)
def split_key(raw_key: str) -> tuple[tuple[str, ...], str]:
    """The result that a raw key belongs to, and which part of it it is ("" for a key that stands alone).

    >>> split_key("Age (Time) - demographics")
    (('Age', 'demographics'), 'Time')
    >>> split_key("urn_type")
    (('urn_type',), '')
    """
    # Recovered messages come with these keys, whatever their file is called.
    if raw_key in RECOVERED_KEYS:
        return ("",), RECOVERED_KEYS[raw_key]
    result = read_result_key(raw_key)
    if result is None or result.part not in RESULT_PARTS:
        return (raw_key,), ""
    return (result.category, result.flow), result.part


def find_unanswered_keys(values: Mapping[str, Any]) -> set[str]:
    """The keys of a run that say nothing: nulls, and all that travels with a null answer, like its time."""
    unanswered = {key for key, value in values.items() if value is None}
    for answers, keys in _group_by_result(tuple(values)):
        if unanswered.issuperset(answers):
            unanswered.update(keys)
    return unanswered


@lru_cache(maxsize=4096)
def _group_by_result(raw_keys: tuple[str, ...]) -> list[tuple[list[str], list[str]]]:
    """The keys of each result that has an answer among them: those of the answer, and all."""
    groups: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
    for key in raw_keys:
        result, part = split_key(key)
        answers, keys = groups.setdefault(result, ([], []))
        keys.append(key)
        # A category is there beside a null answer too ("Other"): what was written decides.
        if part in ("Text", "Value"):
            answers.append(key)
    return [(answers, keys) for answers, keys in groups.values() if answers]
