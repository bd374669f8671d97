"""Match the messages of exports with those that arrived, one to one and in the order of time.

First the same texts, then texts of which something was lost. Times are microseconds since 1970.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from engagement.desk.recovery.alike import are_alike


class Exported(NamedTuple):
    """A message of an export: its time, its folded text, and its position among all."""

    time: int
    text: str
    position: int


class Arrived(NamedTuple):
    """A message in Raw Data; `is_recovered` if it came by a recovery file."""

    time: int
    text: str
    is_recovered: bool = False


@dataclass
class PersonMatches:
    """What became of a participant's messages.

    `late` arrived long after the telecom got them. `maybe_late` are missing ones whose text arrived later than the window allows.
    `doubled` are times at which RapidPro got a message once more, `only_arrived` those of messages
    that the export lacks.
    """

    matched: dict[int, Arrived] = field(default_factory=dict)
    late: set[int] = field(default_factory=set)
    missing: list[Exported] = field(default_factory=list)
    maybe_late: int = 0
    doubled: list[int] = field(default_factory=list)
    only_arrived: list[int] = field(default_factory=list)


def match_messages(
    exported: Sequence[Exported], arrived: Sequence[Arrived], window: int, late: int, most_late: int
) -> PersonMatches:
    """Match a participant's messages.

    Times may differ by `window`; what is left may have arrived up to `late` after the telecom got it. Others up to `most_late` are only
    counted.
    """
    found = PersonMatches()
    left, free = _match_same(sorted(exported), sorted(arrived), window, found)
    left, free = _match_alike(left, free, window, found)
    # Whatever was recovered by an earlier file is there.
    left, free = _match_late(left, free, late, found)
    found.missing = left
    again = PersonMatches()
    _match_late(left, [one for one in free if not one.is_recovered], most_late, again)
    found.maybe_late = len(again.late)
    _sort_rest(exported, free, window, found)
    return found


def _match_same(
    exported: Sequence[Exported], arrived: Sequence[Arrived], window: int, found: PersonMatches
) -> tuple[list[Exported], list[Arrived]]:
    """Match the same texts, the first with the first in the window: no other way matches more."""
    by_text: dict[str, list[Arrived]] = {}
    for one in arrived:
        by_text.setdefault(one.text, []).append(one)
    next_of = dict.fromkeys(by_text, 0)
    left: list[Exported] = []
    free: list[Arrived] = []
    for message in exported:
        candidates = by_text.get(message.text, [])
        at = next_of.get(message.text, 0)
        while at < len(candidates) and candidates[at].time < message.time - window:
            free.append(candidates[at])
            at += 1
        if at < len(candidates) and candidates[at].time <= message.time + window:
            found.matched[message.position] = candidates[at]
            at += 1
        else:
            left.append(message)
        if candidates:
            next_of[message.text] = at
    for text, candidates in by_text.items():
        free += candidates[next_of[text] :]
    return left, sorted(free)


def _match_alike(
    exported: Sequence[Exported], arrived: Sequence[Arrived], window: int, found: PersonMatches
) -> tuple[list[Exported], list[Arrived]]:
    """Match texts that lost something: the nearest in time first."""
    times = [message.time for message in arrived]
    near = sorted(
        (abs(times[other] - message.time), number, other)
        for number, message in enumerate(exported)
        for other in range(bisect_left(times, message.time - window), bisect_right(times, message.time + window))
        if are_alike(message.text, arrived[other].text)
    )
    return _take(near, exported, arrived, found)


def _match_late(
    exported: Sequence[Exported], arrived: Sequence[Arrived], late: int, found: PersonMatches
) -> tuple[list[Exported], list[Arrived]]:
    """Match the same texts that arrived late: the least late first."""
    if late <= 0:
        return list(exported), list(arrived)
    times = [message.time for message in arrived]
    near = sorted(
        (times[other] - message.time, number, other)
        for number, message in enumerate(exported)
        for other in range(bisect_left(times, message.time), bisect_right(times, message.time + late))
        if message.text == arrived[other].text or are_alike(message.text, arrived[other].text)
    )
    before = set(found.matched)
    left = _take(near, exported, arrived, found)
    found.late |= found.matched.keys() - before
    return left


def _take(
    near: Sequence[tuple[int, int, int]], exported: Sequence[Exported], arrived: Sequence[Arrived], found: PersonMatches
) -> tuple[list[Exported], list[Arrived]]:
    done: set[int] = set()
    taken: set[int] = set()
    for _, number, other in near:
        if number not in done and other not in taken:
            done.add(number)
            taken.add(other)
            found.matched[exported[number].position] = arrived[other]
    return (
        [message for number, message in enumerate(exported) if number not in done],
        [message for other, message in enumerate(arrived) if other not in taken],
    )


def _sort_rest(exported: Sequence[Exported], free: Sequence[Arrived], window: int, found: PersonMatches) -> None:
    """Tell messages that arrived twice from those that the export lacks."""
    matched: dict[str, list[int]] = {}
    for message in exported:
        if message.position in found.matched and not found.matched[message.position].is_recovered:
            arrived = found.matched[message.position]
            matched.setdefault(arrived.text, []).append(arrived.time)
    for one in free:
        if one.is_recovered:
            continue
        if any(abs(time - one.time) <= window for time in matched.get(one.text, ())):
            found.doubled.append(one.time)
        else:
            found.only_arrived.append(one.time)
