"""Read the participant's age from an answer, from 10 to 99 years.

A number counts as an age because of its context: next to a word for years it always does; otherwise only if the rest of
the answer is understood and mentions nothing that can be counted. Ranges, birth years, prices, telephone numbers and
other people's ages are left to a coder.
"""

import functools
import re

from engagement.foundation.data_tables import read_table
from engagement.pipeline.coding.cleaning.numbers import Number, find_numbers
from engagement.pipeline.coding.cleaning.text import doubt_words, is_neutral, plain, stop_words

YOUNGEST = 10
OLDEST = 99

_MOST_UNKNOWN_WORDS = 2
_LOOK_BACK = 3  # tokens between "age" and its number: "my age now is 25"
_LONGEST_PHRASE = 3
_WIDEST_BOUND = 3
_BIRTH_YEARS = range(1900, 2100)

_TOKEN = re.compile(r"[a-z]+|[0-9]+|[^\sa-z0-9]")
_APOSTROPHES = re.compile(r"['`]")
_O_FOR_ZERO = re.compile(r"(?<![a-z0-9])([1-9])o(?![a-z0-9])")
_L_FOR_ONE = re.compile(r"(?<![a-z0-9])[li]([0-9])(?![0-9])")
_HYPHEN_IN_WORDS = re.compile(r"(?<=[a-z])-(?=[a-z])")
_JOINED_YEARS = re.compile(r"(?<=[a-z]{3})(jir|jr|sano|sanno|years|yrs)(?![a-z])")  # "labaatanjir"
_OPAQUE = " # "
_NOT_AN_AGE = re.compile(
    r"""
      [0-9]{1,2}\s?[/.-]\s?[0-9]{1,2}\s?[/.-]\s?[0-9]{2,4}   # a date
    | \+?[0-9]{5,}                                           # a telephone number
    | \+?[0-9]{3,}(?:[ -][0-9]{2,})+                         # one in groups
    | [0-9]+\s?/[=-]                                         # a price: 500/=
    | \$\s?[0-9]+ | [0-9]+\s?[$%]
    | [0-9]+(?:[.,:][0-9]+)+                                 # 2.5 or 25,000 or 12:30
    """,
    re.VERBOSE,
)
_LOOSE_SIGNS = frozenset("-.,")
_SIGNS_OF_A_RANGE = frozenset("+<>~")


def read_age(text: str) -> str | None:
    """Read the participant's age in years, as digits; None if there is none, or more than one.

    >>> read_age("waxaan ahay 22jir"), read_age("20-25"), read_age("nina watoto kumi")
    ('22', None, None)
    """
    tokens = _tokens(text)
    numbers = find_numbers(tokens)
    if not numbers or _has_phrase(tokens, _words("own age is elsewhere")):
        return None
    starts = {number.start for number in numbers}
    ends = {number.end for number in numbers if not _is_counted_by_word_before(number, tokens)}
    years = [number for number in numbers if _is_marked(number, tokens, starts, ends)]
    plain_numbers = [number for number in numbers if number not in years and not _is_count(number, tokens)]
    if years:
        plain_numbers = [number for number in plain_numbers if number.value not in _BIRTH_YEARS]
    elif not _is_understood(tokens, numbers, plain_numbers):
        return None
    values = {number.value for number in (*years, *plain_numbers)}
    if len(values) != 1 or any(_is_bounded(number, tokens) for number in (*years, *plain_numbers)):
        return None
    value = values.pop()
    return str(value) if value is not None and YOUNGEST <= value <= OLDEST else None


def _tokens(text: str) -> list[str]:
    text = _APOSTROPHES.sub("", plain(text))
    text = _HYPHEN_IN_WORDS.sub(" ", text)
    text = _O_FOR_ZERO.sub(r"\g<1>0", text)
    text = _L_FOR_ONE.sub(r"1\1", text)
    text = _JOINED_YEARS.sub(r" \1", text)
    return _TOKEN.findall(_NOT_AN_AGE.sub(_OPAQUE, text))


def _is_marked(number: Number, tokens: list[str], starts: set[int], ends: set[int]) -> bool:
    """Tell whether a number is a number of years: "22 jir", "miaka 22", "umri wangu ni 22", "age: 22".

    `starts` are the positions where numbers start, `ends` where those that count nothing else end: a word for years between
    two numbers belongs to the first, except in "watoto watatu miaka 30".
    """
    following = [token for token in tokens[number.end : number.end + 2] if token not in _LOOSE_SIGNS]
    if following and following[0] in _words("age"):
        return number.end in ends or number.end + 1 not in starts
    for position in range(number.start - 1, max(-1, number.start - 1 - _LOOK_BACK), -1):
        token = tokens[position]
        if token in _words("age"):
            return position not in ends and (position == number.start - 1 or not _is_count(number, tokens))
        if token.isalpha() and token not in _words("own words"):
            return False
    return False


def _is_count(number: Number, tokens: list[str]) -> bool:
    """Tell whether a number counts something else: "3 caruur", "watoto watatu", "ksh 50", "covid-19"."""
    if number.end < len(tokens) and tokens[number.end] in _words("other unit"):
        return True
    return _is_counted_by_word_before(number, tokens)


def _is_counted_by_word_before(number: Number, tokens: list[str]) -> bool:
    before = [token for token in tokens[max(0, number.start - 2) : number.start] if token.isalpha()]
    return bool(before) and before[-1] in _words("before other") | (_words("other unit") - _words("own words"))


def _is_bounded(number: Number, tokens: list[str]) -> bool:
    """Tell whether a number is only one end of a range: "over 18", "25 ka badan", "18+"."""
    around = tokens[max(0, number.start - _WIDEST_BOUND) : number.end + _WIDEST_BOUND + 1]
    beside = tokens[max(0, number.start - 1) : number.end + 1]
    return _has_phrase(around, _words("bound")) or not _SIGNS_OF_A_RANGE.isdisjoint(beside)


def _is_understood(tokens: list[str], numbers: list[Number], plain_numbers: list[Number]) -> bool:
    """Tell whether nearly all words are known, above all those that a plain number may be counting."""
    said = {position for number in numbers for position in range(number.start, number.end)}
    unknown = {
        position
        for position, token in enumerate(tokens)
        if position not in said and token.isalpha() and token not in _known_words() and not is_neutral(token)
    }
    if len(unknown) > _MOST_UNKNOWN_WORDS or any(number.end in unknown for number in plain_numbers):
        return False
    # "kuku 30" is thirty hens; an unknown word there is a name: "Amina 30".
    if any(number.start - 1 in unknown and tokens[number.start - 1] in stop_words() for number in plain_numbers):
        return False
    return doubt_words().isdisjoint(tokens)


def _has_phrase(tokens: list[str], phrases: frozenset[str]) -> bool:
    return any(
        " ".join(tokens[start:end]) in phrases
        for start in range(len(tokens))
        for end in range(start + 1, min(start + _LONGEST_PHRASE, len(tokens)) + 1)
    )


@functools.cache
def _known_words() -> frozenset[str]:
    return _words("own words") | _words("age") | _words("other unit")


@functools.cache
def _words(role: str) -> frozenset[str]:
    rows = [row for row in read_table(__package__, "age_words") if row["role"] == role]
    return frozenset(word for row in rows for word in row["words"].replace("'", "").split(";"))
