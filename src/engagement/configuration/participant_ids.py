"""Ids of participants: a prefix that marks them as ids, and a uuid; never a phone number."""

import re

PARTICIPANT_PREFIX = "avf-phone-uuid-"
"""Default prefix of new participants' ids."""

_KNOWN_PREFIX = re.compile(r"avf-[A-Za-z][A-Za-z0-9]*-uuid-")
_UUID_LENGTH = 36
_REST = re.compile(r"[0-9A-Za-z_-]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
# The length of the shortest numbers that people dial with their operator's prefix.
_NUMBER = re.compile(r"[0-9](?:[-_]?[0-9]){6,}")
_FEWEST_DIGITS = 6


def split_participant_id(text: str, prefix: str = PARTICIPANT_PREFIX) -> tuple[str, str]:
    """Split a participant's id into its prefix, the project's own or `avf-<word>-uuid-`, and the rest.

    >>> split_participant_id("avf-facebook-uuid-1f"), split_participant_id("x-1f", "x-"), split_participant_id("1f")
    (('avf-facebook-uuid-', '1f'), ('x-', '1f'), ('', '1f'))
    """
    if text.startswith(prefix):
        return prefix, text[len(prefix) :]
    known = _KNOWN_PREFIX.match(text)
    return ("", text) if known is None else (known[0], text[known.end() :])


def find_id_problem(text: str, prefix: str = PARTICIPANT_PREFIX) -> str | None:
    """Explain why a text is not a participant's id; None if it is one. Does not show the text.

    >>> find_id_problem("avf-participant-uuid-0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f11")
    >>> find_id_problem("avf-phone-uuid-252615001001"), find_id_problem("0615001001"), find_id_problem("Amina")
    ('has a number where its uuid should be', 'looks like a phone number', "is no participant's uuid")
    """
    start, rest = split_participant_id(text, prefix)
    if start and _UUID.fullmatch(rest):
        return None
    if start and _NUMBER.search(rest):
        return "has a number where its uuid should be"
    if start and _REST.fullmatch(rest):
        return None
    if _UUID.fullmatch(text[-_UUID_LENGTH:]):
        return "does not begin as ids of participants do"
    return "looks like a phone number" if sum(map(str.isdigit, text)) >= _FEWEST_DIGITS else "is no participant's uuid"


def find_strict_id_problem(text: str, prefix: str = PARTICIPANT_PREFIX) -> str | None:
    """Check typed or pasted ids: like `find_id_problem`, but everything after the prefix must be a uuid.

    >>> find_strict_id_problem("avf-phone-uuid-0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f11")
    >>> find_strict_id_problem("avf-phone-uuid-hello"), find_strict_id_problem("avf-phone-uuid-252615001001")
    ('has no uuid behind its prefix', 'has a number where its uuid should be')
    """
    problem = find_id_problem(text, prefix)
    if problem is None and _UUID.fullmatch(split_participant_id(text, prefix)[1]) is None:
        return "has no uuid behind its prefix"
    return problem


def may_be_participant_id(text: str) -> bool:
    """Check if a text may be a participant's id, with any project's prefix.

    >>> may_be_participant_id("show-uuid-0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f11"), may_be_participant_id("avf-phone-uuid-252615001001")
    (True, False)
    """
    return (
        len(text) > _UUID_LENGTH and _UUID.fullmatch(text[-_UUID_LENGTH:]) is not None or find_id_problem(text) is None
    )


def match_prefixes(prefix: str) -> str:
    """Make a regular expression for the prefixes of participants' ids."""
    return f"{re.escape(prefix)}|{_KNOWN_PREFIX.pattern}"


def holds_number(text: str) -> bool:
    """Check for enough digits in a row to be a phone number."""
    return _NUMBER.search(text) is not None
