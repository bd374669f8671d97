"""Match a contact's answers with the messages they came in, by time and by what the flow's test matched."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_SECOND = 1_000_000
# A message waits in the server's queue before the flow reads it, longest while a show is on air; the two have clocks of their own.
LONGEST_WAIT = 15 * 60 * _SECOND
LARGEST_SKEW = _SECOND
# Answers that a flow read from one message are this close together.
_ONE_MOMENT = _SECOND // 2


class MatchedAnswer(NamedTuple):
    """The part of an answer that a test matched, and its time in microseconds since 1970."""

    time: int
    value: str


class SentText(NamedTuple):
    """A message of the contact's, and when it came."""

    time: int
    text: str


def find_texts(answers: Sequence[MatchedAnswer], sent: Sequence[SentText]) -> list[str | None]:
    """The whole text of each answer of one contact; None where no message can be it.

    A message can only be it if it came shortly before the answer, and has in it what was matched. Of several it is the latest;
    but an answer of another moment that came later has the first choice, because a flow reads messages in the order in which
    they come.

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
