"""Respondents and their uuids: one number is one uid, by SMS or any other way."""

import itertools
import re
import unicodedata
from collections.abc import Iterable

from engagement.services.uuid_tables.protocol import UuidExchange
from engagement.sources.holders import find_latest_holders
from engagement.sources.submissions.submission import Respondent
from engagement.sources.urns import Urn, identities_of, operator_raw

_AS_FLOAT = re.compile(r"(\+?[0-9]{7,})\.([0-9]+)")
_NUMBER = re.compile(r"\+?[0-9() .-]+")
# Spreadsheets protect digits so: '0712000001, ="0712000001".
_PROTECTED = re.compile(r"'(.*)|=\"(.*)\"|tel:(.*)", re.IGNORECASE | re.DOTALL)
# "+254 (0) 712 000001": with the country's code nobody dials the zero.
_TRUNK_ZERO = re.compile(r"((?:\+|00)[ .-]*[1-9][0-9 .-]{0,4})\( *0 *\) *")
_PLAIN_SIGNS = {0xFF0B: "+", **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")}
_BATCH = 500
_BETWEEN_IDS = "\n"
# E.164 allows 15; the shortest national numbers of subscribers have 6.
_LEAST_DIGITS, _MOST_DIGITS = 6, 15


def number_respondent(text: str, country: str | None = None) -> Respondent | None:
    """Read a phone number; None if it is none. `country` completes one in national form.

    >>> number_respondent("+252 61 5000001"), number_respondent("2.52615E+11")
    (Respondent(tel), None)
    >>> number_respondent("252615000001.0").identities, number_respondent("252615000001.5")
    (('252615000001',), None)
    """
    text = plain_number(text)
    whole = _AS_FLOAT.fullmatch(text)
    if whole is not None:
        # A spreadsheet took it for a number to calculate with; the digits behind the point are not the person's.
        if whole[2].strip("0"):
            return None
        text = whole[1]
    if _NUMBER.fullmatch(text) is None:
        return None
    urn = Urn("tel", text)
    identities = identities_of(urn, country)
    if not all(identity.isdigit() and _LEAST_DIGITS <= len(identity) <= _MOST_DIGITS for identity in identities):
        return None
    return Respondent(identities, "tel", operator_raw(urn, identities[-1]))


def plain_number(text: str) -> str:
    r"""Write a number in plain signs.

    Phones put marks of direction around it, and people type in digits of their script.

    >>> plain_number("\u202a+252\u00a061 500\u20110001\u202c"), plain_number("\u0660\u0667\u0661\u0662"), plain_number("+254 (0) 712 000001")
    ('+252 61 500-0001', '0712', '+254 712 000001')
    """
    if not text.isascii():
        signs = (sign for sign in text.translate(_PLAIN_SIGNS) if unicodedata.category(sign) != "Cf")
        text = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in signs)
        text = " ".join(text.split())
    text = text.strip()
    protected = _PROTECTED.fullmatch(text)
    if protected is not None:
        text = next(part for part in protected.groups() if part is not None).strip()
    return _TRUNK_ZERO.sub(r"\1", text, count=1)


def channel_respondent(scheme: str, path: str) -> Respondent:
    """Make the respondent with an id on another channel, like ("kobo", "<asset>:<_id>").

    >>> channel_respondent("facebook", "1000123").identities
    ('facebook:1000123',)
    """
    return Respondent((f"{scheme}:{path}",), scheme, scheme)


class Participants:
    """Exchanges respondents for uuids, each once a fetch."""

    def __init__(self, table: UuidExchange):
        self._table = table
        # By the ids in one text, which takes a third of the memory of several.
        self._uuids: dict[str, str] = {}

    def uuids(self, respondents: Iterable[Respondent]) -> dict[Respondent, str]:
        """Return the uuid of each respondent; new ones get one."""
        keys = {who: _BETWEEN_IDS.join(who.identities) for who in respondents}
        new = {who.identities for who, key in keys.items() if key not in self._uuids}
        for batch in itertools.batched(sorted(new), _BATCH):
            found = find_latest_holders(self._table, {identities: identities for identities in batch})
            for identities in batch:
                self._uuids[_BETWEEN_IDS.join(identities)] = found.latest[found.identities[identities]][1]
        return {who: self._uuids[key] for who, key in keys.items()}
