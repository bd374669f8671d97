"""Copies of an earlier project's values, as its `copy` and `dataclasses.replace` made them."""

import dataclasses
from typing import Any

from engagement.desk.project_import.evaluation.python_values import Call


def copy_value(value: Any) -> Any:
    """Copy a list, dictionary, set or call; what is in it stays the same."""
    if isinstance(value, Call):
        return dataclasses.replace(value, keywords=dict(value.keywords))
    return value.copy() if isinstance(value, list | dict | set) else value


def copy_deeply(value: Any, known: dict[int, Any] | None = None) -> Any:
    """Copy a value with all that is in it; what is in it twice is copied once.

    >>> plan = Call("CodingPlan", (), {"raw_field": "tea_raw"}, "plans.py", 1)
    >>> copied = copy_deeply([plan, plan])
    >>> copied[0] is copied[1], copied[0] is plan
    (True, False)
    """
    known = {} if known is None else known
    if id(value) in known:
        return known[id(value)]
    copied: Any
    if isinstance(value, list):
        copied = known[id(value)] = []
        copied += [copy_deeply(item, known) for item in value]
    elif isinstance(value, dict):
        copied = known[id(value)] = {}
        copied.update({key: copy_deeply(item, known) for key, item in value.items()})
    elif isinstance(value, tuple):
        copied = known[id(value)] = tuple(copy_deeply(item, known) for item in value)
    elif isinstance(value, Call):
        copied = known[id(value)] = dataclasses.replace(value, keywords={})
        copied.keywords.update(copy_deeply(value.keywords, known))
    else:
        copied = copy_value(value)
    return copied


def replace_arguments(value: Any, **keywords: Any) -> Any:
    """Copy a call with other arguments."""
    if not isinstance(value, Call):
        raise TypeError
    return dataclasses.replace(value, keywords={**value.keywords, **keywords})
