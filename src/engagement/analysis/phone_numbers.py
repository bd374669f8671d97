"""Recognising phone numbers that participants typed into their messages."""

import re

# Most texts hold too few digits for any: they are looked at no further.
_DIGITS = re.compile(r"\d(?:[ \-./()]{0,2}\d){6}")
# Seven digits in one piece, or nine and more in groups: shorter ones are ages, years, dates and sums of money.
_IN_ONE_PIECE = re.compile(r"\d{7}")
_IN_GROUPS = re.compile(r"\d(?:[ \-./()]{0,2}\d){8}")
_DATE = re.compile(r"(?<!\d)(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{4})(?!\d)")


def holds_phone_number(text: str) -> bool:
    """Whether a text seems to hold a phone number, in digits of any script.

    >>> holds_phone_number("i soo wac 061 555 01 23"), holds_phone_number("waxaan ahay 25 jir, 2026-03-01")
    (True, False)
    """
    if _DIGITS.search(text) is None:
        return False
    rest = _DATE.sub(" / ", text)
    return _IN_ONE_PIECE.search(rest) is not None or _IN_GROUPS.search(rest) is not None
