"""Mobile operators of numbers as people write them."""

import re

from engagement.pipeline.coding.cleaning.text import plain
from engagement.sources.operator_prefixes import PREFIX_DIGITS, operator_of

_SEPARATORS = re.compile(r"[\s().+-]+")
_COUNTRY_CODES = ("252", "254", "251")
_INTERNATIONAL_DIGITS = range(11, 13)  # with the country code
_NATIONAL_DIGITS = 9  # without country code and leading zero
# What numbers begin with at home. 77 is Hormuud's and Telkom Kenya's as well: such a number may be either.
_NATIONAL_PREFIXES = {"252": ("6", "90"), "254": ("70", "71", "72", "73", "74", "75", "76", "78", "79", "1")}


def read_operator(text: str) -> str | None:
    """Give the operator of a number as people write it, or of what the raw data keep of one: five digits, or a channel.

    >>> read_operator("tel:+252 61 5123456"), read_operator("0615123456"), read_operator("25290"), read_operator("telegram")
    ('hormud', 'hormud', 'golis', 'telegram')
    """
    text = plain(text).strip()
    scheme, colon, path = text.partition(":")
    if not colon:
        scheme, path = ("tel", text) if any(letter.isdigit() for letter in text) else (text, "")
    if scheme != "tel":
        return operator_of(scheme, path)
    digits = _SEPARATORS.sub("", path)
    if not digits.isdigit():
        return None
    international = _international(digits)
    return None if international is None else operator_of("tel", international)


def _international(digits: str) -> str | None:
    """Write a number with its country code; None when it isn't one of the known countries', or too short or long."""
    digits = digits.removeprefix("00")
    if digits[3:4] == "0" and digits.startswith(_COUNTRY_CODES):
        digits = digits[:3] + digits[4:]  # the zero that is dialled at home only
    if digits.startswith(_COUNTRY_CODES) and (len(digits) in _INTERNATIONAL_DIGITS or len(digits) == PREFIX_DIGITS):
        return digits
    national = digits.removeprefix("0")
    if len(national) != _NATIONAL_DIGITS:
        return None
    for country_code, prefixes in _NATIONAL_PREFIXES.items():
        if national.startswith(prefixes):
            return country_code + national
    return None
