"""Split a text into pieces of phone numbers: digits, letters typed for digits, number words."""

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from engagement.foundation.data_tables import read_table

# What people, keyboards and spreadsheets put between digits: spaces, invisible marks, and marks that show.
_INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0f\u20e3\ufeff"
_SPACE = rf"[\s{_INVISIBLE}]"
_MARK = r"[\-\u2010-\u2015\u2212./()\[\]_*,'\u2019:;=~\u00b7\u2022\u2219|#+!\\\u2026]"
_GAP = re.compile(rf"{_SPACE}*+(?:{_MARK}{_SPACE}*+){{0,5}}+")
_LONGEST_GAP = 24
# "0615 then 000001". Not "or" and "to", which part two numbers.
_CONNECTOR = re.compile(
    rf"(?:{_SPACE}*+[,.])?{_SPACE}++(?:then|next|and|followed by|kisha|halafu|alafu|na|kadib|kadibna|ka dib|dabadeed|markaas|iyo)"
    rf"(?:{_SPACE}*+[,:])?{_SPACE}++",
    re.IGNORECASE,
)
_TENS = re.compile(rf"{_SPACE}++(?:(?:iyo|na|and){_SPACE}++)?|{_SPACE}*+-{_SPACE}*+", re.IGNORECASE)

# Letters of other keyboards and scripts that look like digits.
_ALIKE = dict.fromkeys("oOQ\u043e\u041e\u03bf\u039f", "0") | dict.fromkeys("iIlL", "1")
_ALIKE |= dict.fromkeys("sS", "5") | dict.fromkeys("zZ", "2") | {"B": "8"}
_ALIKE_CHARACTERS, _TRANSLATION = "".join(_ALIKE), str.maketrans(_ALIKE)
_LETTER = r"[^\W\d_]"
_TOKEN = re.compile(
    rf"(?<![^\W_])(?P<lettered>[\d{_ALIKE_CHARACTERS}]++)(?![^\W_])"
    r"|(?P<digits>\d++(?:[oOIl]{1,2}\d++)*+)"
    rf"|(?P<word>{_LETTER}++)"
)
# Shorter ones are more often an amount and its unit ("20l", "5s"), unless it is the o that stands for 0.
_SHORTEST_LETTERED = 6
_ALIKE_ONES = frozenset("0123456789oOiIlL")

_ZEROS = (
    "zero",
    "ziro",
    "zeero",
    "sero",
    "siro",
    "oh",
    "nought",
    "nil",
    "sifuri",
    "sufuri",
    "sifri",
    "eber",
    "ebar",
    "eeber",
)
_TIMES = {"double": 2, "dabal": 2, "triple": 3, "treble": 3}
_LOOKALIKES = re.compile(rf"[\d{_ALIKE_CHARACTERS}]++")
_DIGIT = re.compile(r"\d")
_FEWEST_TYPED, _FEWEST = 4, 7


@dataclass(frozen=True, slots=True)
class Piece:
    """Digits in one piece (as ASCII), their position in the text, and how they are typed."""

    digits: str
    start: int
    end: int
    is_word: bool = False
    is_lettered: bool = False


def may_hold_number(text: str) -> bool:
    """Tell quickly whether a text has as many digits or number words as a phone number needs."""
    typed = len(_DIGIT.findall(text)) if text.isascii() else sum(digit_of(c) is not None for c in text)
    if typed >= _FEWEST:
        return True
    if typed >= _FEWEST_TYPED and sum(len(run) for run in _LOOKALIKES.findall(text) if not run.isalpha()) >= _FEWEST:
        return True
    words = text.lower().replace("-", " ").replace(",", " ").replace(".", " ").split()
    spoken = sum(map(_spoken().__contains__, words))
    return spoken > 1 and typed + spoken >= _FEWEST


def digit_of(character: str) -> int | None:
    """Return the value of a digit of any script, boxed or circled; None for any other character."""
    return unicodedata.digit(character, None)


def in_ascii_digits(text: str) -> str:
    """Write the digits and plus signs of all scripts as ASCII; the result is as long as the text."""
    if text.isascii():
        return text
    return "".join("+" if c == "\uff0b" else c if (value := digit_of(c)) is None else str(value) for c in text)


def find_runs(text: str) -> Iterator[tuple[list[Piece], list[str]]]:
    """Yield the runs of pieces that may belong together, each with the text before each of its pieces.

    The first of these texts is empty.
    """
    pieces: list[Piece] = []
    gaps: list[str] = []
    for piece in _join_tens(text, _find_pieces(text)):
        gap = text[pieces[-1].end : piece.start] if pieces and piece.start - pieces[-1].end <= _LONGEST_GAP else None
        if gap is not None and (_GAP.fullmatch(gap) or _CONNECTOR.fullmatch(gap)):
            pieces.append(piece)
            gaps.append(gap)
            continue
        if pieces:
            yield pieces, gaps
        pieces, gaps = [piece], [""]
    if pieces:
        yield pieces, gaps


def has_words(gap: str) -> bool:
    """Tell whether pieces are joined by a word like "then"."""
    return any(c.isalpha() for c in gap)


def _find_pieces(text: str) -> Iterator[Piece]:
    times = None
    for token in _TOKEN.finditer(text):
        word = token["word"]
        if word is not None and word.lower() in _TIMES:
            times = token
            continue
        piece = _read_lettered(token) if token["lettered"] else _read(token)
        if piece is None:
            times = None
            continue
        if times is not None and len(piece.digits) == 1 and text[times.end() : piece.start].isspace():
            repeated = piece.digits * _TIMES[times[0].lower()]
            piece = Piece(repeated, times.start(), piece.end, is_word=True)
        times = None
        yield piece


def _read(token: re.Match[str]) -> Piece | None:
    if token["digits"]:
        digits = token[0].translate(_TRANSLATION)
        return Piece(digits, *token.span(), is_lettered=digits != token[0])
    value = _values().get(token[0].lower())
    return None if value is None else Piece(str(value), *token.span(), is_word=True)


def _read_lettered(token: re.Match[str]) -> Piece | None:
    """Read a whole word of digits and letters that look like them."""
    typed = token[0]
    if typed.isdigit():
        return Piece(typed, *token.span())
    digits = typed.translate(_TRANSLATION)
    zeros_only = all(c.isdigit() or _ALIKE[c] == "0" for c in typed)
    count = sum(map(str.isdigit, typed))
    if count == 0:
        # "oo" is a common Somali word.
        is_zeros = zeros_only and typed not in ("oo", "Oo", "OO", "Q")
        return Piece(digits, *token.span(), is_lettered=True) if is_zeros else None
    is_short = len(typed) < _SHORTEST_LETTERED and not (typed[-1].isdigit() and _ALIKE_ONES.issuperset(typed))
    if not zeros_only and (is_short or 2 * count < len(typed)):
        # "20l": its digits alone.
        found = re.match(r"\d+", typed)
        return None if found is None else Piece(found[0], token.start(), token.start() + found.end())
    return Piece(digits, *token.span(), is_lettered=True)


def _join_tens(text: str, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Read "twenty two" and "kow iyo labaatan" as the two digits that they say."""
    held: Piece | None = None
    for piece in pieces:
        if held is not None and held.is_word and piece.is_word:
            gap = text[held.end : piece.start]
            joined = _add(held.digits, piece.digits, gap)
            if joined is not None:
                held = Piece(joined, held.start, piece.end, is_word=True)
                continue
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held


def _add(first: str, second: str, gap: str) -> str | None:
    if len(gap) > _LONGEST_GAP or _TENS.fullmatch(gap) is None:
        return None
    tens, unit = (first, second) if len(first) == 2 else (second, first)
    if len(tens) != 2 or tens[1] != "0" or tens[0] == "0" or len(unit) != 1 or unit == "0":
        return None
    if tens is second and not has_words(gap):
        # "seven twenty" is 7 and 20, "toddoba iyo labaatan" is 27.
        return None
    return tens[0] + unit


@functools.cache
def _values() -> dict[str, int]:
    """Return the numbers up to 99 by their Somali, Swahili and English words, misspelt ones included."""
    rows = read_table(__package__, "numbers")
    spoken = {word: int(row["value"]) for row in rows for word in row["words"].split(";") if int(row["value"]) < 100}
    return spoken | dict.fromkeys(_ZEROS, 0)


@functools.cache
def _spoken() -> frozenset[str]:
    return frozenset({*_values(), *_TIMES})
