"""Find phone numbers as people in Somalia, Kenya and Ethiopia type them.

In digits of any script, with letters for digits, or in words.

Digits count as a phone number if they are a valid number in these countries (as typed locally, with or without the 0, or with
the country code), a valid or possible number of any country after + or 00, ten digits that begin like a number here, or at
least nine digits in one piece. Ages, years, dates, times, quantities and sums of money do not count.
"""

import re
from collections.abc import Iterator, Sequence

from engagement.pipeline.coding.cleaning.phone_number_pieces import Piece, find_runs, in_ascii_digits, may_hold_number
from engagement.pipeline.coding.cleaning.phone_number_rules import FEWEST_DIGITS, MOST_DIGITS, Verdict, judge

MASK = "[phone number]"

# Ids of messages, runs and participants: digits in them are not phone numbers.
_IDENTIFIER = re.compile(
    r"(?<![0-9A-Za-z])(?:(?=[0-9]*[a-f])[0-9a-f]{32,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = re.compile(
    rf"(?<!\d)(?<!\d[-./ ])(?:{_YEAR}([-./ ]){_MONTH}\1{_DAY}|{_DAY}([-./ ]){_MONTH}\2{_YEAR}|{_DAY}/{_MONTH}/\d\d)(?![-./ ]?\d)"
    rf"|(?<!\d)(?<!\d[-./])(?:{_YEAR}([-./]){_MONTH}\3{_DAY}|{_DAY}([-./]){_MONTH}\4{_YEAR})(?![-./]?\d)"
)
_TIME = re.compile(r"(?<![\d:])(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?![\d:])")
# "0.6145, 45.0123" and "0.31234567": a place on the map, or a share.
_DECIMAL = r"-?(?:0|[1-9]\d{0,2})\.\d{3,}"
_PLACE = re.compile(rf"(?<![\d.]){_DECIMAL}[,;\s]{{1,3}}{_DECIMAL}(?![\d.])|(?<![\d.])0\.\d+(?!\d|[-. ]\d)")
# The mark that a keyboard with boxed digits puts after each digit.
_KEYCAP = "\ufe0f\u20e3"


def find_phone_numbers(text: str) -> list[tuple[int, int]]:
    """Find the phone numbers in a text: (start, end) of each, in order, without overlaps.

    >>> find_phone_numbers("wac 061 500 0001, 25 jir")
    [(4, 16)]
    """
    if not may_hold_number(text):
        return []
    # As long as the text, so that positions in one are positions in the other.
    searched = in_ascii_digits(text)
    for pattern in (_IDENTIFIER, _DATE, _TIME, _PLACE):
        searched = pattern.sub(_blank, searched)
    return [span for pieces, gaps in find_runs(searched) for span in _numbers_within(searched, pieces, gaps)]


def mask_phone_numbers(text: str) -> str:
    """Replace each phone number in a text with "[phone number]".

    >>> mask_phone_numbers("wac \u0660\u0666\u0661\u0665\u0660\u0660\u0660\u0660\u0660\u0661 maanta")
    'wac [phone number] maanta'
    """
    parts, position = [], 0
    for start, end in find_phone_numbers(text):
        parts += [text[position:start], MASK]
        position = end
    return "".join([*parts, text[position:]])


def _blank(found: re.Match[str]) -> str:
    # Not a space: the digits left and right of it must not be read as one number.
    return "\0" * len(found[0])


def _numbers_within(text: str, pieces: Sequence[Piece], gaps: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the numbers in a run of pieces, from the left, each as long as possible."""
    first = earliest = 0
    while first < len(pieces):
        last = _longest_number(text, pieces, gaps, first, earliest)
        if last is None:
            earliest = pieces[first].end
            first += 1
            continue
        end = pieces[last].end
        while end < len(text) and text[end] in _KEYCAP:
            end += 1
        start = _with_prefix(text, pieces[first].start, earliest)
        while text[start] == "(" and text.count("(", start, end) > text.count(")", start, end):
            # The bracket surrounds the number and is not part of it.
            start += 1
        yield start, end
        first, earliest = last + 1, end


def _longest_number(text: str, pieces: Sequence[Piece], gaps: Sequence[str], first: int, earliest: int) -> int | None:
    """Find the last piece of the longest valid, or else likely, number that starts at a piece."""
    digits, valid, alike = "", None, None
    start = _with_prefix(text, pieces[first].start, earliest)
    is_marked = "+" in text[start : pieces[first].start]
    for last in range(first, len(pieces)):
        digits += pieces[last].digits
        if len(digits) > MOST_DIGITS and last > first:
            break
        if len(digits) < FEWEST_DIGITS:
            continue
        verdict = judge(text, digits, pieces[first : last + 1], gaps[first + 1 : last + 1], is_marked)
        if verdict is Verdict.VALID:
            valid = last
        elif verdict is Verdict.ALIKE:
            alike = last
    return alike if valid is None else valid


def _with_prefix(text: str, start: int, earliest: int) -> int:
    """Find the start of a number including its + or opening bracket, if it has one."""
    while start > earliest and text[start - 1] in "+(":
        start -= 1
    return start
