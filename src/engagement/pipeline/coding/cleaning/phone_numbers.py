"""Find phone numbers as people in Somalia, Kenya and Ethiopia type them, in digits of any script.

Digits count as a phone number if they are a valid number in these countries (as typed locally, with or without the 0, or with
the country code), a valid number of any country after + or 00, or at least nine digits in one piece. Ages, years, dates, times
and sums of money do not count.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberType

MASK = "[phone number]"

_REGIONS = ("SO", "KE", "ET")
_COUNTRY_CODES = tuple(str(phonenumbers.country_code_for_region(region)) for region in _REGIONS)
_FEWEST_DIGITS, _MOST_DIGITS = 7, 17
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)

# What people, keyboards and spreadsheets put between digits: spaces, dashes, dots, brackets, invisible marks.
_BETWEEN = r"[\s\-\u2010-\u2015\u2212./()\[\]_*,'\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0f\u20e3\ufeff]"
_CANDIDATE = re.compile(rf"[+\uff0b]?{_BETWEEN}{{0,3}}\d(?:{_BETWEEN}{{0,3}}\d){{{_FEWEST_DIGITS - 1},}}")
_GROUP = re.compile(r"\d+")
# Ids of messages, runs and participants: digits in them are not phone numbers.
_IDENTIFIER = re.compile(
    r"(?<![0-9A-Za-z])(?:(?=[0-9]*[a-f])[0-9a-f]{32,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = re.compile(rf"(?<!\d)(?<!\d[-./])(?:{_YEAR}([-./]){_MONTH}\1{_DAY}|{_DAY}([-./]){_MONTH}\2{_YEAR})(?![-./]?\d)")
_COMPACT_DATE = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d"
)
_YEAR_TIME_OR_SUM = re.compile(r"(?:19|20)\d\d|(?:[01]\d|2[0-3])[0-5]\d|[1-9]\d*00")
_MONEY = r"(?:\$|\u20ac|\u00a3|usd|sos|kes|ksh|kshs|etb|birr|shilin\w*|shilling\w*|doolar\w*|dollar\w*|bob)"
_MONEY_BEFORE = re.compile(rf"(?:^|[^a-z]){_MONEY}[\s.:=]{{0,3}}$", re.IGNORECASE)
_MONEY_AFTER = re.compile(rf"\s{{0,2}}{_MONEY}(?![a-z])|/[=-]", re.IGNORECASE)
# A sum: thousands set apart, or zeros at the end. If it is as long as a phone number, only a very round one.
_SHORT_SUM = re.compile(r"[1-9]\d{0,2}([,.'\u2019 ])\d{3}(?:\1\d{3})*|[1-9]\d*000")
_LONG_SUM = re.compile(
    r"[1-9]\d{0,2}(?:,\d{3})+,000|[1-9]\d{0,2}(?P<between>[.'\u2019 ])000(?:(?P=between)000)+|[1-9]\d{0,2}0{6,}"
)
# The mark that a keyboard with boxed digits puts after each digit.
_KEYCAP = "\ufe0f\u20e3"


@dataclass(frozen=True)
class _Group:
    """Digits in one piece (as ASCII), and their position in the text."""

    digits: str
    start: int
    end: int


def find_phone_numbers(text: str) -> list[tuple[int, int]]:
    """Find the phone numbers in a text: (start, end) of each, in order, without overlaps.

    >>> find_phone_numbers("wac 061 500 0001, 25 jir")
    [(4, 16)]
    """
    if _CANDIDATE.search(text) is None:
        return []
    # As long as the text, so that positions in one are positions in the other.
    searched = _IDENTIFIER.sub(_blank, _DATE.sub(_blank, _in_ascii_digits(text)))
    return [span for candidate in _CANDIDATE.finditer(searched) for span in _numbers_within(searched, candidate)]


def mask_phone_numbers(text: str) -> str:
    """Replace each phone number in a text with "[phone number]".

    >>> mask_phone_numbers("wac \u0660\u0666\u0661\u0665\u0660\u0660\u0660\u0660\u0660\u0661 maanta")
    'wac [phone number] maanta'
    """
    spans = find_phone_numbers(text)
    for start, end in reversed(spans):
        text = text[:start] + MASK + text[end:]
    return text


def _in_ascii_digits(text: str) -> str:
    if text.isascii():
        return text
    return "".join("+" if c == "\uff0b" else str(unicodedata.decimal(c, c)) for c in text)


def _blank(found: re.Match[str]) -> str:
    # Not a space: the digits left and right of it must not be read as one number.
    return "\0" * len(found[0])


def _numbers_within(text: str, candidate: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield the numbers in a run of digit groups, from the left, each as long as possible."""
    groups = [_Group(found[0], found.start(), found.end()) for found in _GROUP.finditer(text, *candidate.span())]
    first = 0
    while first < len(groups):
        last = _longest_number(text, groups, first, candidate.start())
        if last is None:
            first += 1
            continue
        end = groups[last].end
        while end < len(text) and text[end] in _KEYCAP:
            end += 1
        start = _with_prefix(text, groups[first].start, candidate.start())
        if ")" not in text[start:end]:
            # The bracket surrounds the number and is not part of it.
            start = groups[first].start - text[start : groups[first].start].count("+")
        yield start, end
        first = last + 1


def _longest_number(text: str, groups: list[_Group], first: int, earliest: int) -> int | None:
    """Find the last group of the longest valid, or else likely, number that starts at a group."""
    count, valid, alike = 0, None, None
    start = _with_prefix(text, groups[first].start, earliest)
    is_marked = "+" in text[start : groups[first].start]
    for last in range(first, len(groups)):
        count += len(groups[last].digits)
        if count > _MOST_DIGITS and last > first:
            break
        pieces = groups[first : last + 1]
        if count < _FEWEST_DIGITS or (not is_marked and _is_money(text, pieces[0].start, pieces[-1].end)):
            continue
        if _is_valid(text, pieces, is_marked):
            valid = last
        elif _is_alike("".join(piece.digits for piece in pieces), len(pieces), is_marked):
            alike = last
    return alike if valid is None else valid


def _with_prefix(text: str, start: int, earliest: int) -> int:
    """Find the start of a number including its + or opening bracket, if it has one."""
    while start > earliest and text[start - 1] in "+(":
        start -= 1
    return start


def _is_valid(text: str, pieces: list[_Group], is_marked: bool) -> bool:
    digits = "".join(piece.digits for piece in pieces)
    if is_marked:
        return _is_valid_abroad(digits)
    if digits.startswith("00"):
        return _is_valid_abroad(digits.removeprefix("00"))
    if len(pieces) == 1:
        return _COMPACT_DATE.fullmatch(digits) is None and _is_valid_here(digits, any_kind=True)
    if len(digits) < 9 or all(_YEAR_TIME_OR_SUM.fullmatch(piece.digits) for piece in pieces):
        return False
    # Commas separate the numbers of a list; they separate the groups of a phone number only if it begins like one.
    begins_like_one = digits.startswith(("0", *_COUNTRY_CODES))
    has_commas = "," in text[pieces[0].start : pieces[-1].end]
    return (begins_like_one or not has_commas) and _is_valid_here(digits, any_kind=digits.startswith("0"))


def _is_alike(digits: str, pieces: int, is_marked: bool) -> bool:
    """Tell whether digits can only be a mistyped number: one long piece, or +/00 and a country code."""
    if pieces == 1 and len(digits) >= 9:
        return True
    abroad = digits if is_marked else digits.removeprefix("00")
    return (is_marked or abroad != digits) and abroad.startswith(_COUNTRY_CODES) and 10 <= len(abroad) <= 13


def _is_money(text: str, start: int, end: int) -> bool:
    """Tell whether digits are a sum of money."""
    found = text[start:end]
    if sum(map(str.isdigit, found)) >= 9:
        return _LONG_SUM.fullmatch(found) is not None
    return (
        _SHORT_SUM.fullmatch(found) is not None
        or _MONEY_BEFORE.search(text, max(0, start - 16), start) is not None
        or _MONEY_AFTER.match(text, end) is not None
    )


@functools.lru_cache(maxsize=65536)
def _is_valid_abroad(digits: str) -> bool:
    """Tell whether digits that begin with a country code are a number of any country."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}", None))
    except phonenumbers.NumberParseException:
        return False


@functools.lru_cache(maxsize=65536)
def _is_valid_here(digits: str, any_kind: bool) -> bool:
    """Tell whether digits are a number of one of the regions, as typed there or with the country code."""
    for region, code in zip(_REGIONS, _COUNTRY_CODES, strict=True):
        national = digits.removeprefix(code) if len(digits) > 9 else digits
        try:
            number = phonenumbers.parse(national, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number_for_region(number, region) and (
            any_kind or phonenumbers.number_type(number) in _MOBILE
        ):
            return True
    return False
