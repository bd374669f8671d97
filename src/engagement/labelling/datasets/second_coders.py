"""Choose the messages that second coders label: a stable sample, without labels."""

import hashlib
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from engagement.services.coda.format import MessageDocument

if TYPE_CHECKING:
    from engagement.configuration.double_coding import DoubleCoding

_SALT = "second coder"


def choose_second_messages(
    messages: Sequence[MessageDocument], chosen_before: Collection[str], settings: "DoubleCoding"
) -> list[MessageDocument]:
    """Choose from a dataset's messages, in order; those that second coders have stay chosen.

    A message is in or out by its id alone, whatever else there is: of a share for ever, of a number until it is reached. Texts without a
    letter or digit are noise, and left out. No label comes along.
    """
    able = [message for message in messages if any(map(str.isalnum, message["Text"]))]
    if settings.share is not None:
        bound = int(settings.share * 2**64)
        chosen = {message["MessageID"] for message in able if _rank(message["MessageID"]) < bound}
    else:
        missing = max(0, (settings.messages or 0) - len(chosen_before))
        others = (message["MessageID"] for message in able if message["MessageID"] not in chosen_before)
        chosen = set(sorted(others, key=_rank)[:missing])
    return [
        {**message, "Labels": []}
        for message in messages
        if message["MessageID"] in chosen or message["MessageID"] in chosen_before
    ]


def _rank(message_id: str) -> int:
    digest = hashlib.sha256(f"{_SALT} {message_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8])
