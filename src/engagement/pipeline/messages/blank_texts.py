"""Texts that show nothing: white space, and characters that only join, separate or direct others."""

import re
import unicodedata

# Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties), other format and control characters, and the empty Braille cell.
# Number signs of Arabic and other scripts are left out: they are format characters, but visible. So is white space.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)


def visible_text(text: str) -> str:
    """Return the visible part of a text, without white space around it; "" if it shows nothing.

    >>> visible_text("\\u200b \\ufeff\\u3000"), visible_text(" haa\\u200d "), visible_text("\\x00")
    ('', 'haa', '')
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).strip()
