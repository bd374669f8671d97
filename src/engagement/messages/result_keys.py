"""Keys of raw data: which result of which flow they belong to, and which part of it they are."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_RESULT_KEY = re.compile(
    r"(?P<category>.+) \((?P<part>Category|Value|Text|Name|Time|Run ID)\) - (?P<flow>.+)", re.DOTALL
)
# Recovered messages come with these keys, whatever their file is called.
_RECOVERED_KEYS = {"message": "Text", "received_on": "Time", "run_id": "Run ID"}
ANSWER_PARTS = ("Text", "Value", "Category")


@lru_cache(maxsize=4096)
def split_key(raw_key: str) -> tuple[tuple[str, ...], str]:
    """The result that a raw key belongs to, and which part of it it is ("" for a key that stands alone).

    >>> split_key("Age (Time) - demographics")
    (('Age', 'demographics'), 'Time')
    >>> split_key("urn_type")
    (('urn_type',), '')
    """
    if raw_key in _RECOVERED_KEYS:
        return ("",), _RECOVERED_KEYS[raw_key]
    match = _RESULT_KEY.fullmatch(raw_key)
    if match is None:
        return (raw_key,), ""
    return (match["category"], match["flow"]), match["part"]


def find_unanswered_keys(values: Mapping[str, Any]) -> set[str]:
    """The keys of a run that say nothing: nulls, and all that travels with a null answer, like its time."""
    answered, parts = set(), []
    for key, value in values.items():
        result, part = split_key(key)
        # A category is there beside a null answer too ("Other"): what was written decides.
        if part in ("Text", "Value"):
            parts.append(result)
            if value is not None:
                answered.add(result)
    unanswered = set(parts) - answered
    return {key for key, value in values.items() if value is None or split_key(key)[0] in unanswered}
