"""Make typed text comparable: plain lower-case letters, words, and the words of everyday speech."""

import functools
import re
import unicodedata

from anyascii import anyascii

from engagement.foundation.data_tables import read_table

# Invisible marks, and pictures: anyascii would spell an emoji out (":man:") and put a word into people's mouths.
_UNREAD_CATEGORIES = frozenset({"Cf", "Cc", "Cs", "Co", "Cn", "So", "Sk", "Mn", "Me"})
_WORD = re.compile(r"[a-z]+|[0-9]+")
_APOSTROPHES = re.compile(r"['`]")
_REPEATED_LETTER = re.compile(r"([a-z])\1+")
_LETTER_THREE_TIMES = re.compile(r"([a-z])\1{2,}")


def match_key(text: str) -> str:
    """Make answers equal that differ only in character width, case or white space.

    >>> match_key("  BAYDHABO\\n")
    'baydhabo'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def plain(text: str) -> str:
    """Write a text of any script in lower-case ASCII; drop emoji and invisible marks.

    >>> plain("Hàa, ٢٥ \\u200bjir 👍")
    'haa, 25 jir '
    """
    text = unicodedata.normalize("NFKC", text)
    if not text.isascii():
        # White space counts as a control character; it keeps words apart.
        decomposed = unicodedata.normalize("NFD", text)
        kept = (
            letter
            for letter in decomposed
            if letter.isspace() or unicodedata.category(letter) not in _UNREAD_CATEGORIES
        )
        text = anyascii("".join(kept))
    return text.lower()


def words(text: str) -> tuple[str, ...]:
    """Split plain text into words and digits; apostrophes ("bu'aale") and single letters are joined.

    >>> words("22jir, da'deydu"), words("n i n")
    (('22', 'jir', 'dadeydu'), ('nin',))
    """
    found = tuple(_WORD.findall(_APOSTROPHES.sub("", text)))
    if len(found) > 2 and all(len(word) == 1 and word.isalpha() for word in found):
        return ("".join(found),)
    return found


def squeeze(word: str) -> str:
    """Reduce each run of a letter to one letter: people's spellings differ most in doubling.

    >>> squeeze("maaya")
    'maya'
    """
    return _REPEATED_LETTER.sub(r"\1", word)


def shorten_drawl(word: str) -> str:
    """Reduce three or more of the same letter to two.

    >>> shorten_drawl("haaaa")
    'haa'
    """
    return _LETTER_THREE_TIMES.sub(r"\1\1", word)


@functools.cache
def stop_words() -> frozenset[str]:
    """Return the words of everyday speech in the three languages: none of them is a misspelt name."""
    return frozenset(word for row in read_table(__package__, "stop_words") for word in _split(row["words"]))


def is_neutral(word: str) -> bool:
    """Tell whether a word beside an answer does not change it: digits, "I am", "my name is", greetings."""
    return word.isdigit() or word in _neutral_words() or squeeze(word) in _neutral_words()


@functools.cache
def doubt_words() -> frozenset[str]:
    """Return the words that negate a place or leave it open: "not", "near", "or"."""
    return _words_of_kind("doubt")


@functools.cache
def _neutral_words() -> frozenset[str]:
    written = _words_of_kind("neutral") | _words_of_kind("greeting")
    return written | {squeeze(word) for word in written}


def _words_of_kind(kind: str) -> frozenset[str]:
    return frozenset(
        word for row in read_table(__package__, "stop_words") if row["kind"] == kind for word in _split(row["words"])
    )


def _split(cell: str) -> list[str]:
    return cell.replace("'", "").split(";")
