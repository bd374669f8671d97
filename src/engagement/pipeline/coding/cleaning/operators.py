"""Read the mobile operator from a phone number as people write it."""

import re

from engagement.pipeline.coding.cleaning.text import plain
from engagement.sources.operator_prefixes import PREFIX_DIGITS, operator_of

_SEPARATORS = re.compile(r"[\s().+-]+")
_COUNTRY_CODES = ("252", "254", "251")
_INTERNATIONAL_DIGITS = range(11, 13)  # with the country code
_NATIONAL_DIGITS = 9  # without country code and leading zero
# Prefixes of numbers dialled at home. 77 is used by both Hormuud and Telkom Kenya: such a number may be either's.
_NATIONAL_PREFIXES = {"252": ("6", "90"), "254": ("70", "71", "72", "73", "74", "75", "76", "78", "79", "1")}


def read_operator(text: str) -> str | None:
    """Read the operator from a number as people write it, or from raw data: five digits or a channel.

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
    """Write a number with its country code; None for an unknown country or a wrong length."""
    digits = digits.removeprefix("00")
    if digits[3:4] == "0" and digits.startswith(_COUNTRY_CODES):
        digits = digits[:3] + digits[4:]  # the zero that is dialled only at home
    if digits.startswith(_COUNTRY_CODES) and (len(digits) in _INTERNATIONAL_DIGITS or len(digits) == PREFIX_DIGITS):
        return digits
    national = digits.removeprefix("0")
    if len(national) != _NATIONAL_DIGITS:
        return None
    for country_code, prefixes in _NATIONAL_PREFIXES.items():
        if national.startswith(prefixes):
            return country_code + national
    return None
