"""Read the messages that arrived: those of RapidPro and of earlier recovery files, in Raw Data."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from engagement.configuration import PipelineConfiguration
from engagement.configuration.raw_keys import RecoveredKeyNames
from engagement.desk.recovery.alike import fold_text
from engagement.desk.recovery.matching import Arrived
from engagement.foundation.errors import InputError
from engagement.foundation.microseconds import MICROSECOND, count_microseconds
from engagement.pipeline.messages.instants import parse_instant
from engagement.pipeline.messages.result_keys import split_key
from engagement.provenance import TracedData
from engagement.provenance.reading import read_traced_data

# RapidPro can keep several results of one message.
_AT_ONCE = timedelta(seconds=1) // MICROSECOND
# As stage 3 compares recovered messages with RapidPro's.
_SAME_MESSAGE = timedelta(minutes=5) // MICROSECOND


@dataclass
class RawMessages:
    """What Raw Data has: the participants, and the messages of a time."""

    participants: set[str] = field(default_factory=set)
    _times: dict[str, dict[str, list[tuple[int, str | None]]]] = field(default_factory=dict)

    def add(self, uid: str, text: str, time: int, result: str | None) -> None:
        """Add a message with its result; None if it was recovered."""
        self._times.setdefault(uid, {}).setdefault(fold_text(text), []).append((time, result))

    def of(self, uid: str) -> list[Arrived]:
        """Return a participant's messages, each once."""
        found: list[Arrived] = []
        for text, all_times in self._times.get(uid, {}).items():
            sent = _once(sorted((time, result) for time, result in all_times if result is not None))
            recovered = _drop_twins([time for time, result in all_times if result is None], sent)
            found += [Arrived(time, text) for time in sent]
            found += [Arrived(time, text, is_recovered=True) for time in recovered]
        return found


def read_messages(configuration: PipelineConfiguration, data_root: Path, first: int, last: int) -> RawMessages:
    """Read the messages from `first` to `last`, in microseconds since 1970.

    Raises
    ------
    InputError
        Nothing was fetched yet, or a file is damaged.
    """
    found = RawMessages()
    # A message that came in by another source is there as well.
    sources = configuration.raw_data_sources
    recovered = tuple(dict.fromkeys(source.recovered_keys for source in sources if source.recovered_keys is not None))
    names = dict.fromkeys(name for source in sources for name in source.flow_names)
    paths = [path for name in names if (path := data_root / "Raw Data" / f"{name}.jsonl").exists()]
    if not paths:
        raise InputError(
            f"{data_root}: nothing in Raw Data; expected what RapidPro has. Run stage 2 (fetch raw data) first."
        )
    for path in paths:
        for run in read_traced_data(path):
            uid = run.values.get("avf_phone_id")
            if not isinstance(uid, str):
                continue
            found.participants.add(uid)
            for text, time, result in _results_of(run, recovered):
                if first <= time <= last:
                    found.add(uid, text, time, result)
    return found


def _results_of(run: TracedData, recovered: tuple[RecoveredKeyNames, ...]) -> Iterator[tuple[str, int, str | None]]:
    results: dict[tuple[str, ...], dict[str, object]] = {}
    for key, value in run.values.items():
        result, part = split_key(key, recovered)
        if part and value is not None:
            results.setdefault(result, {})[part] = value
    own = {keys[0] for keys in recovered}
    for result, parts in results.items():
        text, time = parts.get("Text", parts.get("Value")), parts.get("Time")
        if isinstance(text, str) and isinstance(time, str):
            try:
                at = count_microseconds(parse_instant(time))
            except ValueError:
                continue
            yield text, at, None if len(result) == 1 and result[0] in own else " - ".join(result)


def _once(sent: Sequence[tuple[int, str | None]]) -> list[int]:
    """Merge simultaneous results of several questions; two of one question are two messages."""
    times: list[int] = []
    counts: Counter[str | None] = Counter()
    start = 0
    for time, result in sent:
        if not times or time - start >= _AT_ONCE:
            start = time
            counts.clear()
        counts[result] += 1
        if counts[result] == max(counts.values()) and (counts[result] > sum(1 for one in times if one >= start)):
            times.append(time)
    return times


def _drop_twins(recovered: Collection[int], sent: Sequence[int]) -> list[int]:
    """Leave out recovered messages that RapidPro has too: nearest in time first, as stage 3 does."""
    copies = sorted(recovered)
    near = sorted(
        (abs(time - copy), number, position)
        for position, copy in enumerate(copies)
        for number, time in enumerate(sent)
        if abs(time - copy) <= _SAME_MESSAGE
    )
    taken: set[int] = set()
    twins: set[int] = set()
    for _, number, position in near:
        if number not in taken and position not in twins:
            taken.add(number)
            twins.add(position)
    return [copy for position, copy in enumerate(copies) if position not in twins]
