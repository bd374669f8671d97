"""Mobile operators by the prefix of a phone number, other channels by their name.

The prefix tells who gave the number out: a number that was carried over to another operator keeps its first one.
"""

import functools
from collections.abc import Mapping

from engagement.foundation.data_tables import read_table

# How much of a number tells the operator; what the raw data keep of it.
PREFIX_DIGITS = 5


def operator_of(urn_scheme: str, path: str) -> str | None:
    """Give the operator of a telephone number, or the name of another channel; None when it is not listed.

    `path` is the digits of an international number for tel ("252615…", its first five are enough); other channels
    don't need it.

    >>> operator_of("tel", "252615123456"), operator_of("telegram", "1234")
    ('hormud', 'telegram')
    """
    operators = _operators_by_scheme().get(urn_scheme.lower())
    if operators is None:
        return None
    digits = path.lstrip("+")
    for length in range(PREFIX_DIGITS, -1, -1):
        operator = operators.get(digits[:length])
        if operator is not None:
            return operator
    return None


def operator_codes() -> frozenset[str]:
    """Give every operator and channel that `operator_of` can tell."""
    return frozenset(row["operator"] for row in read_table(__package__, "operators"))


@functools.cache
def _operators_by_scheme() -> Mapping[str, Mapping[str, str]]:
    operators: dict[str, dict[str, str]] = {}
    for row in read_table(__package__, "operators"):
        operators.setdefault(row["urn_scheme"], {})[row["prefix"]] = row["operator"]
    return operators
