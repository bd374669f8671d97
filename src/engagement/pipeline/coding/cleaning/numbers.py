"""Numbers in an answer: digits, and number words of Somali, Swahili and English in any mix and order."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from engagement.foundation.data_tables import read_table
from engagement.pipeline.coding.cleaning.text import squeeze, stop_words

_CONNECTORS = frozenset({"iyo", "na", "and", "n", "io", "yo", "iya", "&"})
_SHORTEST_GUESSED = 6
_SHORTEST_JOINED = 7
_HUNDRED = 100


@dataclass(frozen=True)
class Number:
    """A number between the tokens `start` and `end`; `value` is None if it makes no sense as one."""

    value: int | None
    start: int
    end: int


def find_numbers(tokens: Sequence[str]) -> list[Number]:
    """Find the numbers in a list of words, runs of digits and punctuation marks, from left to right.

    >>> find_numbers(["labaatan", "iyo", "shan", "jir"])
    [Number(value=25, start=0, end=3)]
    """
    found, position = [], 0
    while position < len(tokens):
        parts, end = _take_parts(tokens, position)
        if parts:
            found.append(Number(_add_up(parts), position, end))
            position = end
        else:
            position += 1
    return found


def _take_parts(tokens: Sequence[str], start: int) -> tuple[list[int | str], int]:
    """Take the number words that belong together from `start` on, with connectors only between them.

    Digits stay strings: "2 8" is written like this, "two eight" is not.
    """
    parts: list[int | str] = []
    position = end = start
    while position < len(tokens):
        part = _read_part(tokens[position])
        if part is not None:
            if parts and not _may_follow(parts, part, connected=position > end):
                break
            parts.extend(part)
            position += 1
            end = position
        elif parts and tokens[position] in _CONNECTORS and position == end:
            position += 1
        else:
            break
    return parts, end


def _may_follow(parts: list[int | str], part: list[int | str], connected: bool) -> bool:
    """Tell whether the next number continues the ones before it: digits do only as "2 8" or "20 iyo 5"."""
    if isinstance(parts[-1], int) and isinstance(part[0], int):
        return True
    if isinstance(parts[-1], int) and not connected:
        return parts[-1] % 10 == 0 and len(str(part[0])) == 1  # "twenty 5"
    if connected:
        return sum(int(one) % 10 == 0 for one in (parts[-1], part[0])) == 1
    return isinstance(parts[-1], str) and isinstance(part[0], str) and len(parts[-1]) == len(part[0]) == 1


def _add_up(parts: list[int | str]) -> int | None:
    """Add tens and a unit, in either order; None for anything else."""
    if len(parts) == 1:
        return None if str(parts[0]).startswith("0") else int(parts[0])
    if len(parts) == 2:
        first, second = parts
        if isinstance(first, str) and isinstance(second, str) and len(first) == len(second) == 1:
            return int(first + second)
        tens, unit = sorted((int(first), int(second)), reverse=True)
        if tens % 10 == 0 and 10 <= tens < _HUNDRED and 0 < unit < 10:
            return tens + unit
    return None


def _read_part(token: str) -> list[int | str] | None:
    if token.isdigit():
        return [token]
    return _read_word(token)


@functools.lru_cache(maxsize=1 << 14)
def _read_word(token: str) -> list[int | str] | None:
    values = _values()
    word = squeeze(token)
    if word in values:
        return [values[word]]
    if len(token) >= _SHORTEST_JOINED:
        # Not squeezed: "kuminanne" (14) would become "kuminane" (18).
        joined = _joined_words().fullmatch(token)
        if joined:
            return [values[squeeze(part)] for part in joined.groups() if part is not None]
    if len(word) < _SHORTEST_GUESSED or token in stop_words():
        return None
    candidates = _guessable().get(word[0], [])
    near = process.extract(word, candidates, scorer=OSA.distance, processor=None, score_cutoff=1, limit=4)
    guessed = {values[name] for name, _, _ in near}
    return [guessed.pop()] if len(guessed) == 1 else None


@functools.cache
def _values() -> dict[str, int]:
    return {
        squeeze(word): int(row["value"])
        for row in read_table(__package__, "numbers")
        for word in row["words"].split(";")
    }


@functools.cache
def _guessable() -> dict[str, list[str]]:
    by_first_letter: dict[str, list[str]] = {}
    for word in _values():
        if len(word) >= _SHORTEST_GUESSED:
            by_first_letter.setdefault(word[0], []).append(word)
    return by_first_letter


@functools.cache
def _joined_words() -> re.Pattern[str]:
    """Match number words and "and" written as one word: "fiftyfive", "tobaniyoshan", "ishirinina"."""
    written = {word for row in read_table(__package__, "numbers") for word in row["words"].split(";") if len(word) > 2}
    word = "|".join(sorted(written, key=len, reverse=True))
    return re.compile(f"({word})(?:iyo|na|and)?({word})|({word})(?:iyo|na|and)")
