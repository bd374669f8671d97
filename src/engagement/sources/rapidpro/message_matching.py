"""Match a contact's answers with their messages, by time and by the part that a test matched."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_SECOND = 1_000_000
# A message waits in the server's queue before the flow reads it, longest while a show is on air; each has its own clock.
LONGEST_WAIT = 15 * 60 * _SECOND
LARGEST_SKEW = _SECOND
# Answers from one message are at most this far apart.
_ONE_MOMENT = _SECOND // 2


class MatchedAnswer(NamedTuple):
    """The part of an answer that a test matched, and its time in microseconds since 1970."""

    time: int
    value: str


class SentText(NamedTuple):
    """A message from the contact, and its time."""

    time: int
    text: str


def find_texts(answers: Sequence[MatchedAnswer], sent: Sequence[SentText]) -> list[str | None]:
    """Find the whole text of each answer of one contact; None if no message fits.

    A message fits if it came shortly before the answer and contains the match. Of several the latest is taken; but an answer
    from a later moment chooses first, because a flow reads messages in the order in which they come.

    >>> find_texts([MatchedAnswer(60_000_000, "25")], [SentText(59_000_000, "nin 25 jir ah")])
    ['nin 25 jir ah']
    """
    found: list[str | None] = [None] * len(answers)
    chosen: dict[SentText, int] = {}
    for position in sorted(range(len(answers)), key=lambda position: answers[position].time, reverse=True):
        answer = answers[position]
        fitting = [
            message
            for message in sent
            if answer.time - LONGEST_WAIT <= message.time <= answer.time + LARGEST_SKEW
            and _has_in_it(message.text, answer.value)
        ]
        if fitting:
            best = max(
                fitting,
                key=lambda message: (
                    abs(chosen.get(message, answer.time) - answer.time) <= _ONE_MOMENT,  # noqa: B023 - used at once
                    message.time <= answer.time,  # noqa: B023
                    message.time,
                ),
            )
            chosen.setdefault(best, answer.time)
            found[position] = best.text
    return found


def _has_in_it(text: str, value: str) -> bool:
    folded = text.casefold()
    return all(_find_part(part).search(folded) for part in value.casefold().split())


@lru_cache(maxsize=4096)
def _find_part(part: str) -> re.Pattern[str]:
    """Find a part of the match as a word or number of its own: 25 is in "25jir", and not in "1254"."""
    return re.compile(_edge(part[0], "<") + re.escape(part) + _edge(part[-1], ""))


def _edge(character: str, direction: str) -> str:
    kind = r"\d" if character.isdigit() else r"[^\W\d_]" if character.isalpha() else None
    return "" if kind is None else f"(?{direction}!{kind})"
