"""Tell digits that are a phone number from ages, dates, sums of money and other numbers."""

import functools
import re
from collections.abc import Sequence
from enum import Enum

import phonenumbers
from phonenumbers import PhoneNumberType

from engagement.pipeline.coding.cleaning.phone_number_pieces import Piece, has_words

_REGIONS = ("SO", "KE", "ET")
_COUNTRY_CODES = tuple(str(phonenumbers.country_code_for_region(region)) for region in _REGIONS)
FEWEST_DIGITS, MOST_DIGITS = 7, 17
_FEWEST_IN_PIECES = 9
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
# How numbers of these countries begin, valid or not: new ranges come faster than lists of them.
_BEGINS_LOCALLY = re.compile(r"0[1679]\d{8}")
# How many digits a number in pieces has, by how it begins: the first and cheapest look.
_PLAUSIBLE = re.compile(r"00\d{7,15}|0[1-9]\d{7,9}|25[124]\d{6,10}|[16-9]\d{8}|[1-9]\d{9,11}")
# Where people of these countries live abroad, and their neighbours.
_ABROAD = (
    "1",
    "20",
    "27",
    "31",
    "39",
    "44",
    "45",
    "46",
    "47",
    "49",
    "61",
    "90",
    "211",
    "249",
    "253",
    "255",
    "256",
    "358",
    "966",
    "971",
    "974",
)

_COMPACT_DATE = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d"
)
_YEAR_TIME_OR_SUM = re.compile(r"(?:19|20)\d\d|(?:[01]\d|2[0-3])[0-5]\d|[1-9]\d*00")
_MONEY = r"(?:\$|\u20ac|\u00a3|usd|sos|kes|ksh|kshs|etb|birr|shilin\w*|shilling\w*|doolar\w*|dollar\w*|bob|pesa)"
_MONEY_BEFORE = re.compile(rf"(?:^|[^a-z]){_MONEY}[\s.:=]{{0,3}}$", re.IGNORECASE)
_MONEY_AFTER = re.compile(rf"\s{{0,2}}{_MONEY}(?![a-z])|/[=-]", re.IGNORECASE)
# A sum: thousands set apart, or zeros at the end. If it is as long as a phone number, only a very round one.
_SHORT_SUM = re.compile(r"[1-9]\d{0,2}([,.'\u2019 ])\d{3}(?:\1\d{3})*|[1-9]\d*000")
_LONG_SUM = re.compile(
    r"[1-9]\d{0,2}(?:,\d{3})+,000|[1-9]\d{0,2}(?P<between>[.'\u2019 ])000(?:(?P=between)000)+|[1-9]\d{0,2}0{6,}"
)
# What is counted: said after a number, it is a quantity.
_COUNTED = re.compile(
    r"[\s,.]{0,3}(?:%|jir\w*|sano\w*|sanad\w*|miaka|years?|yrs?|months?|bilood|miezi|days?|people|persons?|voters?|votes?|households?|"
    r"qof|dad|ruux|qoys\w*|watu|kaya|children|kids|carruur\w*|caruur\w*|watoto|goats?|camels?|cows?|sheep|ari|geel|lo'|mbuzi|"
    r"ngamia|ng'ombe|kg|kgs|kilo\w*|g|km|kms|m|metres?|meters?|litres?|liters?|l|bags?|sacks?|acres?|hectares?|tons?|percent)(?![a-z])",
    re.IGNORECASE,
)
# An account or a document: said before a number that could be no more than a landline.
_NAMED = re.compile(
    r"(?:^|[^a-z])(?:id|id ?no|kitambulisho|aqoonsi\w*|passport|baasaboor\w*|paybill|till|account|acc|a/c|akaunti|akoon\w*|receipt|ref|code|"
    r"population|ages?|score|votes?|kura|codad)(?: (?:no|number|namba|nambari|lambar\w*|is|waa|ni))?[\s.:=#]{0,3}$",
    re.IGNORECASE,
)
_CONTEXT = 32
# Marks that set the numbers of a list apart, or the two halves of a score, time, verse or share.
_LISTING = frozenset(",:;=~\u00b7\u2022\u2219|#!'\u2019*\\")
_INVISIBLE = re.compile("[\\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0f\u20e3\ufeff]+")


class Verdict(Enum):
    """How sure it is that digits are a phone number."""

    NO = 0
    ALIKE = 1
    VALID = 2


def judge(text: str, digits: str, pieces: Sequence[Piece], gaps: Sequence[str], is_marked: bool) -> Verdict:
    """Judge whether pieces, whose digits are `digits`, are together one phone number.

    `gaps` are the texts between them. `is_marked`: a + stands before them.
    """
    if is_marked and not digits.startswith("0"):
        return _judge_marked(digits, is_single=len(pieces) == 1)
    if len(pieces) == 1:
        verdict = _judge_single(text, pieces[0])
    elif _PLAUSIBLE.fullmatch(digits) is None:
        return Verdict.NO
    else:
        verdict = _judge_pieces(text, digits, pieces, gaps)
    # The slowest looks come last: they are for the few that seem to be a number.
    if verdict is not Verdict.NO and _is_money(text, pieces[0].start, pieces[-1].end):
        return Verdict.NO
    return verdict


def _judge_marked(abroad: str, whole: str = "", *, is_single: bool) -> Verdict:
    """Judge digits after a + or 00 (`whole` is with the 00)."""
    if len(abroad) <= MOST_DIGITS and _is_valid_abroad(abroad):
        return Verdict.VALID
    if is_single and len(whole or abroad) >= _FEWEST_IN_PIECES:
        return Verdict.ALIKE
    if abroad.startswith(_COUNTRY_CODES):
        return Verdict.ALIKE if 10 <= len(abroad) <= 13 else Verdict.NO
    return Verdict.ALIKE if not whole and _is_possible_abroad(abroad) else Verdict.NO


def _judge_single(text: str, piece: Piece) -> Verdict:
    digits = piece.digits
    if digits.startswith("00"):
        return _judge_marked(digits.removeprefix("00"), digits, is_single=True)
    if piece.is_lettered:
        begins = digits.startswith(("0", *_COUNTRY_CODES)) and len(digits) >= _FEWEST_IN_PIECES
        if begins or (len(digits) == _FEWEST_IN_PIECES and _is_valid_here(digits, any_kind=False)):
            return Verdict.VALID
        return Verdict.NO
    if len(digits) < _FEWEST_IN_PIECES and not digits.startswith("0") and _is_quantity(text, piece.start, piece.end):
        return Verdict.NO
    if len(digits) <= MOST_DIGITS and _COMPACT_DATE.fullmatch(digits) is None and _is_valid_here(digits, any_kind=True):
        return Verdict.VALID
    # One long piece can only be a mistyped number.
    return Verdict.ALIKE if len(digits) >= _FEWEST_IN_PIECES else Verdict.NO


def _judge_pieces(text: str, digits: str, pieces: Sequence[Piece], gaps: Sequence[str]) -> Verdict:
    if digits.startswith("00"):
        return _judge_marked(digits.removeprefix("00"), digits, is_single=False)
    is_national = digits.startswith("0")
    if _is_valid_here(digits, any_kind=is_national):
        verdict = Verdict.VALID
    elif _BEGINS_LOCALLY.fullmatch(digits):
        verdict = Verdict.ALIKE
    elif not is_national and _is_written_abroad(digits, pieces, gaps):
        verdict = Verdict.VALID
    else:
        return Verdict.NO
    if _is_list(pieces, gaps):
        return Verdict.NO
    is_joined_by_words = any(map(has_words, gaps))
    if is_national or digits.startswith(_COUNTRY_CODES):
        return Verdict.NO if is_joined_by_words and len(pieces[0].digits) == 1 else verdict
    is_spoken = any(piece.is_word for piece in pieces)
    is_listed = is_joined_by_words or (not is_spoken and any("," in gap for gap in gaps))
    return Verdict.NO if is_listed or _is_quantity(text, pieces[0].start, pieces[-1].end) else verdict


def _is_list(pieces: Sequence[Piece], gaps: Sequence[str]) -> bool:
    """Tell whether pieces are the numbers of a list: years, times, ages, scores or verses."""
    if any(piece.is_word for piece in pieces):
        return False
    lengths = {len(piece.digits) for piece in pieces}
    together = "".join(piece.digits for piece in pieces)
    if all(_YEAR_TIME_OR_SUM.fullmatch(piece.digits) for piece in pieces):
        # "0612 100 400" could be a time and two sums, and is somebody's number more likely.
        return _BEGINS_LOCALLY.fullmatch(together) is None
    marks = [_INVISIBLE.sub("", gap) for gap in gaps]
    kinds = set("".join(marks))
    if (
        _LISTING & kinds
        and (len(kinds) > 1 or "" in marks)
        and len(pieces) > 2
        and not pieces[0].digits.startswith("0")
    ):
        return True
    if max(lengths) > 2:
        return False
    if lengths == {1} and len(set(marks)) > 1:
        return True  # "1-0 2-2 3-1"
    if _LISTING & kinds and (len(kinds) > 1 or "" in marks):
        return True  # "0-2, 3-1"
    zeros = [piece.digits.startswith("0") for piece in pieces]
    if lengths == {2} and all(zeros):
        return True  # "05 06 07 08 09"
    if any(", " in gap for gap in gaps) and len(pieces[0].digits) == 1 and lengths != {1}:
        return True  # "0, 12, 7, 33"
    if any(zeros) or lengths == {1}:
        return False
    # Small numbers, none written like "07": ages. Only pairs that begin with a country's code are a number.
    is_pairs = lengths == {2} and len(together) == 12 and together.startswith(_COUNTRY_CODES)
    return not is_pairs or any("," in mark for mark in marks)


def _is_written_abroad(digits: str, pieces: Sequence[Piece], gaps: Sequence[str]) -> bool:
    """Tell whether pieces are a number of another country as it is written there: "1 (415) 555-2671"."""
    lengths = [len(piece.digits) for piece in pieces]
    if len(digits) < 10 or len(pieces) > 5 or any(piece.is_word for piece in pieces):
        return False
    marks = set("".join(gaps))
    if lengths == [3, 3, 4] and (")" in gaps[0] or "-" in marks):
        return _is_valid_abroad("1" + digits)
    if pieces[0].digits not in _ABROAD or len(digits) == 10 or _LISTING & marks:
        return False
    # "44 207 946 095" would be a count of people.
    return ("(" in marks or any(length != 3 for length in lengths[1:])) and _is_valid_abroad(digits)


def _is_quantity(text: str, start: int, end: int) -> bool:
    """Tell whether words around digits say that they count something, or name a document."""
    return (
        _COUNTED.match(text, end) is not None
        or _MONEY_AFTER.match(text, end) is not None
        or _NAMED.search(text, max(0, start - _CONTEXT), start) is not None
    )


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


@functools.lru_cache(maxsize=4096)
def _is_possible_abroad(digits: str) -> bool:
    """Tell whether digits begin with a country code and are as many as a number there has."""
    try:
        return len(digits) >= _FEWEST_IN_PIECES and phonenumbers.is_possible_number(
            phonenumbers.parse(f"+{digits}", None)
        )
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
