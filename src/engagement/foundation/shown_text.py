"""Texts of participants, as pages show them."""

import unicodedata

_LONGEST_TEXT = 1200
# Controls, lone surrogates, and characters that reverse the direction of the following text.
_UNSEEN = frozenset({"Cc", "Cs", "Cf"})
_HARMLESS = frozenset("\n\t\u200c\u200d\u200e\u200f")


def clean(text: str) -> str:
    """Remove invisible characters from a text, and limit its length.

    >>> clean("a\\u202eb\\x00c")
    'a\\ufffdb\\ufffdc'
    """
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + "…"
    # Most texts need no closer look.
    if text.isprintable():
        return text
    return "".join(
        character if character in _HARMLESS or unicodedata.category(character) not in _UNSEEN else "\ufffd"
        for character in text
    )
