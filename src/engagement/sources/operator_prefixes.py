"""Mobile operators by the prefix of a phone number, other channels by their name.

The prefix names the operator that issued the number: a number carried over to another operator keeps its prefix.
"""

import functools
from collections.abc import Mapping

from engagement.foundation.data_tables import read_table

# The digits of a number that identify its operator; the raw data keep only these.
PREFIX_DIGITS = 5


def operator_of(urn_scheme: str, path: str) -> str | None:
    """Return the operator of a phone number, or the name of another channel; None if it is not listed.

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
    """Return all operators and channels that `operator_of` knows."""
    return frozenset(row["operator"] for row in read_table(__package__, "operators"))


@functools.cache
def _operators_by_scheme() -> Mapping[str, Mapping[str, str]]:
    operators: dict[str, dict[str, str]] = {}
    for row in read_table(__package__, "operators"):
        operators.setdefault(row["urn_scheme"], {})[row["prefix"]] = row["operator"]
    return operators
