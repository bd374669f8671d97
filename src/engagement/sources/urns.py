"""URNs that identify somebody, and their ids in the uuid table. Nothing here is kept or logged."""

import functools
import re
from collections.abc import Iterable
from typing import NamedTuple

_PHONE_SCHEMES = ("tel", "whatsapp")
_OPERATOR_DIGITS = 5
_DISPLAY_OR_QUERY = re.compile(r"[#?].*", re.DOTALL)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
# An anonymous workspace shows "tel:********".
_MASK = "**"
# WhatsApp's "KE.A1b2c" and the sender "mtn4u" have digits too, but are not numbers.
_PHONE_NUMBER = re.compile(r"[0-9+() .-]*[0-9][0-9+() .-]*")
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_INTERNATIONAL = re.compile(r"[ ().-]*(\+|0[ ().-]*0)")


class Urn(NamedTuple):
    """An address on a channel that belongs to somebody."""

    scheme: str
    path: str


def parse_urn(text: str) -> Urn | None:
    """Read a URN without display name and query; None if it has no scheme, or an empty or masked path.

    >>> parse_urn("telegram:1234#amina"), parse_urn("tel:"), parse_urn("tel:********"), parse_urn("+252615000001")
    (Urn(scheme='telegram', path='1234'), None, None, None)
    """
    if "#" in text or "?" in text:
        text = _DISPLAY_OR_QUERY.sub("", text)
    scheme, _, path = text.partition(":")
    scheme, path = scheme.strip().lower(), path.strip()
    if _SCHEME.fullmatch(scheme) is None or not path or _MASK in path:
        return None
    return Urn(scheme, path)


def first_urn(urns: Iterable[str]) -> Urn | None:
    """Find the first of a contact's URNs that identifies somebody, skipping those that do not."""
    return next((urn for urn in map(parse_urn, urns) if urn is not None), None)


def first_scheme(urns: Iterable[str]) -> str | None:
    """Find the channel of a contact's first URN that has one, masked or not.

    >>> first_scheme(["+252615000001", "tel:********"])
    'tel'
    """
    for urn in urns:
        scheme = urn.partition(":")[0].strip().lower()
        if ":" in urn and _SCHEME.fullmatch(scheme):
            return scheme
    return None


def identities_of(urn: Urn, country: str | None = None) -> tuple[str, ...]:
    """List a URN's possible ids in the uuid table, oldest form first. New participants get the last.

    For a phone number it is the digits, for any other path "<scheme>:<path>", unchanged. A number in national form, in a
    workspace with a known country, has two: the table may already know it by its national digits.

    >>> identities_of(Urn("tel", "+252 61 5000001")), identities_of(Urn("whatsapp", "KE.A1b2c"))
    (('252615000001',), ('whatsapp:KE.A1b2c',))
    >>> identities_of(Urn("tel", "0615000001"), "SO")
    ('615000001', '252615000001')
    """
    digits = _digits_of(urn)
    if not digits:
        return (f"{urn.scheme}:{urn.path}",)
    # WhatsApp's numbers are international, without a plus.
    if country and urn.scheme == "tel" and _INTERNATIONAL.match(urn.path) is None:
        return tuple(dict.fromkeys((digits, _make_international(urn.path, country) or digits)))
    return (digits,)


def operator_raw(urn: Urn, identity: str) -> str:
    """Return a phone number's first five digits; for other channels and senders, the scheme.

    `identity` is the id that a new participant would get, the last of `identities_of`.

    >>> operator_raw(Urn("tel", "+252 61 5000001"), "252615000001"), operator_raw(Urn("tel", "mtn4u"), "tel:mtn4u")
    ('25261', 'tel')
    """
    is_phone_number = urn.scheme == "tel" and not identity.startswith("tel:")
    return identity[:_OPERATOR_DIGITS] if is_phone_number else urn.scheme


def _digits_of(urn: Urn) -> str:
    digits = urn.path.removeprefix("+")
    # The usual form, told apart without a pattern.
    if urn.scheme in _PHONE_SCHEMES and digits.isascii() and digits.isdigit():
        return digits.lstrip("0")
    if urn.scheme not in _PHONE_SCHEMES or _PHONE_NUMBER.fullmatch(urn.path) is None:
        return ""
    return _NOT_A_DIGIT.sub("", urn.path).lstrip("0")


def _make_international(path: str, country: str) -> str | None:
    """Add the country's code to a national number's digits; None if it is not a number of this country."""
    # Few workspaces have such numbers, and the library is large.
    import phonenumbers

    plain = _plain_mobile_numbers(country.upper())
    if plain is not None and plain.fullmatch(path) is not None:
        return path
    national = _national_mobile_numbers(country.upper())
    if national is not None and (found := national.numbers.fullmatch(path)) is not None:
        return f"{national.country_code}{found[1]}"
    try:
        number = phonenumbers.parse(path, country.upper())
    except phonenumbers.NumberParseException:
        return None
    # A leading 0 marks a national number, even with a prefix that the library does not know yet. Without one it
    # may be a short code, or a number of another country that lacks its plus.
    is_national = path.lstrip(" (").startswith("0") and phonenumbers.is_possible_number(number)
    if not is_national and not phonenumbers.is_valid_number_for_region(number, country.upper()):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")


class _NationalNumbers(NamedTuple):
    """Numbers as people dial them at home: a pattern whose group is the number behind the zero."""

    numbers: re.Pattern[str]
    country_code: int


@functools.cache
def _national_mobile_numbers(country: str) -> _NationalNumbers | None:
    """Make a pattern of mobile numbers with a zero in front.

    The library puts the country's code in its place. Only for countries where the zero is all that goes.
    """
    import phonenumbers

    plan = phonenumbers.PhoneMetadata.metadata_for_region(country)
    if plan is None or plan.mobile is None or plan.general_desc is None or plan.country_code is None:
        return None
    mobile, lengths = plan.mobile.national_number_pattern, plan.general_desc.possible_length
    if not mobile or not lengths or plan.national_prefix_for_parsing != "0" or plan.national_prefix_transform_rule:
        return None
    no_exit = f"(?!{plan.international_prefix})" if plan.international_prefix else ""
    possible = "|".join(f"[0-9]{{{length}}}" for length in lengths)
    return _NationalNumbers(re.compile(rf"(?=0(?:{possible})$){no_exit}0(?!0)({mobile})"), plan.country_code)


@functools.cache
def _plain_mobile_numbers(country: str) -> re.Pattern[str] | None:
    """Make a pattern of numbers with their country's code that the library returns as they are.

    Most numbers in files are so, and the library takes many times as long. They are longer than any national number, and have no
    prefix that it takes off.
    """
    import phonenumbers

    plan = phonenumbers.PhoneMetadata.metadata_for_region(country)
    if plan is None or plan.mobile is None or plan.general_desc is None:
        return None
    mobile, lengths = plan.mobile.national_number_pattern, plan.general_desc.possible_length
    if not mobile or not lengths:
        return None
    no_exit = f"(?!{plan.international_prefix})" if plan.international_prefix else ""
    no_prefix = f"(?!{plan.national_prefix_for_parsing})" if plan.national_prefix_for_parsing else ""
    return re.compile(
        rf"(?=[0-9]{{{max(lengths) + 1},}}$){no_exit}{no_prefix}{plan.country_code}{no_prefix}(?:{mobile})"
    )
