"""Compare exports with what arrived: what became of each message, hour by hour, and the outages."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from engagement.desk.recovery.alike import fold_text
from engagement.desk.recovery.arrived import RawMessages
from engagement.desk.recovery.exports import ExportRow
from engagement.desk.recovery.matching import Exported, match_messages
from engagement.foundation.microseconds import MICROSECOND, count_microseconds, make_instant

State = Literal["matched", "recovered", "late", "missing"]
COUNTS = ("received", "matched", "late", "recovered", "missing", "doubled")

# Messages get lost one by one, too: an outage is a row of losses that chance hardly makes.
_FEWEST_LOST = 3
_CHANCE = 0.05
# As stage 3 compares recovered messages with RapidPro's, to both sides.
_SAME_MESSAGE = timedelta(minutes=10)
MOST_LATE = timedelta(days=30)


class Outage(NamedTuple):
    """A time in which RapidPro got nothing of what the telecom received."""

    first: datetime
    last: datetime
    messages: int


@dataclass
class ExportComparison:
    """What became of the messages of exports; `states` are in the order of `messages`."""

    messages: Sequence[ExportRow]
    uids: Sequence[str]
    states: list[State]
    hours: dict[datetime, Counter[str]] = field(default_factory=dict)
    maybe_late: int = 0
    only_arrived: int = 0

    def total(self, what: str) -> int:
        """Count over all hours."""
        return sum(counts[what] for counts in self.hours.values())

    def rows_to_write(self) -> list[int]:
        """List the rows of a recovery file: missing messages, and those that must stand beside them.

        Stage 3 takes a recovered message for RapidPro's if the person sent the same text at most five minutes apart, one for one. So
        it has to see both.
        """
        missing: dict[tuple[str, str], list[datetime]] = {}
        for number, state in enumerate(self.states):
            if state == "missing":
                missing.setdefault(self._key(number), []).append(self.messages[number].time)
        rows = [
            number
            for number, state in enumerate(self.states)
            if state == "missing"
            or (
                state == "matched"
                and any(
                    abs(time - self.messages[number].time) <= _SAME_MESSAGE
                    for time in missing.get(self._key(number), ())
                )
            )
        ]
        return sorted(rows, key=lambda number: (self.messages[number].time, number))

    def _key(self, number: int) -> tuple[str, str]:
        return self.uids[number], " ".join(self.messages[number].text.split())


def compare_messages(
    messages: Sequence[ExportRow],
    uids: Sequence[str],
    raw: RawMessages,
    window: timedelta,
    late: timedelta,
    zone: ZoneInfo,
) -> ExportComparison:
    """Compare messages, of the participants `uids` in the same order, with what arrived."""
    found = ExportComparison(messages, uids, ["missing"] * len(messages))
    by_person: dict[str, list[int]] = {}
    for number, (uid, _) in enumerate(zip(uids, messages, strict=True)):
        by_person.setdefault(uid, []).append(number)
    first, last = (pick(one.time for one in messages) for pick in (min, max))
    doubled: list[datetime] = []
    for uid, numbers in by_person.items():
        exported = [
            Exported(count_microseconds(messages[number].time), fold_text(messages[number].text), number)
            for number in numbers
        ]
        span = raw.of(uid)
        matches = match_messages(exported, span, window // MICROSECOND, late // MICROSECOND, MOST_LATE // MICROSECOND)
        for number, arrived in matches.matched.items():
            found.states[number] = (
                "recovered" if arrived.is_recovered else "late" if number in matches.late else "matched"
            )
        found.maybe_late += matches.maybe_late
        doubled += [make_instant(time) for time in matches.doubled]
        found.only_arrived += sum(first <= make_instant(time) <= last for time in matches.only_arrived)
    for message, state in zip(messages, found.states, strict=True):
        found.hours.setdefault(_hour(message.time, zone), Counter()).update(("received", state))
    for time in doubled:
        found.hours.setdefault(_hour(time, zone), Counter())["doubled"] += 1
    found.hours = dict(sorted(found.hours.items()))
    return found


def find_outages(found: ExportComparison) -> Iterator[Outage]:
    """Find the times in which RapidPro got nothing while the telecom did; single losses are none."""
    # What arrived late says nothing of that hour.
    counted = [number for number, state in enumerate(found.states) if state != "late"]
    counted.sort(key=lambda number: found.messages[number].time)
    lost = [found.states[number] in ("missing", "recovered") for number in counted]
    all_lost = sum(lost)
    start = 0
    while start < len(lost):
        end = start
        while end < len(lost) and lost[end]:
            end += 1
        count = end - start
        if count >= _FEWEST_LOST:
            # The share lost at other times: a tenth, where there are none.
            others = (all_lost - count + 0.5) / (len(lost) - count + 5)
            if others**count * len(lost) < _CHANCE:
                times = [found.messages[counted[number]].time for number in (start, end - 1)]
                yield Outage(times[0], times[1], count)
        start = end + 1


def write_table(hours: Mapping[datetime, Counter[str]]) -> Iterator[str]:
    """Write a line for each hour with messages, under its day."""
    yield f"{'':<16}" + "".join(f"{name:>11}" for name in COUNTS)
    days: dict[str, Counter[str]] = {}
    for hour, counts in hours.items():
        days.setdefault(f"{hour:%Y-%m-%d}", Counter()).update(counts)
    told = ""
    for hour, counts in hours.items():
        day = f"{hour:%Y-%m-%d}"
        if day != told:
            yield _line(day, days[day])
            told = day
        yield _line(f"  {hour:%H:%M}", counts)


def _line(name: str, counts: Counter[str]) -> str:
    return f"{name:<16}" + "".join(f"{counts[column] or '-':>11}" for column in COUNTS)


def _hour(time: datetime, zone: ZoneInfo) -> datetime:
    return time.astimezone(zone).replace(minute=0, second=0, microsecond=0)
