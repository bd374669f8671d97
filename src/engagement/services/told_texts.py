"""What a service says of a refusal, fit for a log: it may repeat what it was asked, or what it holds."""

import re

from engagement.services.address_queries import strip_queries

_NUMBER = re.compile(r"\d(?:[\s().,/_\u00a0\u2010-\u2015-]{0,3}\d){5,}")
_EMAIL = re.compile(r"[^\s@<>\"'(]+@[^\s@<>\"')]+")


def hide_identities(text: str, token: str) -> str:
    """Hide the token, queries, e-mail addresses, and whatever could be a phone number or a user's id.

    >>> hide_identities("no\\nuser +254 712 000-001 or a@b.org for Token abc", "abc")
    'no user +… or … for Token …'
    """
    text = strip_queries(" ".join(text.split()).replace(token, "…"))
    return _NUMBER.sub("…", _EMAIL.sub("…", text))
