"""Recipients of age: public keys that archives are encrypted to."""

import re

from engagement.configuration.value_types import matching, refuse

_NO_RECIPIENT = (
    "is no recipient of age; expected 'age1…' as age-keygen prints it, 62 characters without a mistake. Copy it again."
)


def _check_recipient(text: str) -> str:
    # Only who encrypts needs it.
    import pyrage

    try:
        pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise refuse(_NO_RECIPIENT) from None
    return text


AgeRecipient = matching(re.compile("age1[02-9ac-hj-np-z]{58}"), _NO_RECIPIENT, complete=_check_recipient)
