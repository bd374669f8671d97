"""Drop recovered messages that RapidPro has too: each message counts once, and the RapidPro run wins.

Two messages are the same if one participant sent the same text at most five minutes apart. Each RapidPro message matches one
recovered message, the nearest in time first: if somebody wrote "1" three times and RapidPro has two of them, three are counted.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from engagement.configuration import PipelineConfiguration
from engagement.configuration.raw_keys import RecoveredKeyNames
from engagement.foundation.microseconds import MICROSECOND, count_microseconds
from engagement.pipeline.messages.instants import parse_instant
from engagement.pipeline.messages.result_keys import split_key
from engagement.provenance import Metadata, TracedData

ALSO_RECOVERED = "also_recovered"
"""The field of a RapidPro run that lists the run ids of recovered messages that duplicate its own."""

_FARTHEST = timedelta(minutes=5) // MICROSECOND
# RapidPro can keep several results of one message, in one run or in two flows that the message started.
_AT_ONCE = timedelta(seconds=1) // MICROSECOND


@dataclass(frozen=True)
class _Sent:
    """A message: its time in microseconds since 1970 and the position of its run, -1 for a survey answer."""

    time: int
    run: int


def has_recovery_files(configuration: PipelineConfiguration) -> bool:
    """Tell whether there can be recovered messages at all."""
    return any(source.recovered_keys is not None for source in configuration.raw_data_sources)


def drop_known_messages(
    activation: Sequence[TracedData],
    survey: Sequence[TracedData],
    recovered_keys: tuple[RecoveredKeyNames, ...],
    metadata: Metadata,
) -> list[TracedData]:
    """Return a participant's activation runs without recovered messages that RapidPro has already.

    When two recovery files have the same row, the first is kept. A RapidPro run whose message was recovered as well gets a note
    of it.
    """
    keys_of_runs = [_keys_of(run, recovered_keys) for run in activation]
    if not any(keys_of_runs):
        return list(activation)
    dropped = set(_find_repeated_rows(activation, keys_of_runs))
    recovered: dict[str, list[_Sent]] = {}
    for position, (run, keys) in enumerate(zip(activation, keys_of_runs, strict=True)):
        if keys is not None and position not in dropped:
            _add(recovered, run.values[keys[0]], run.values.get(keys[1]), position)
    sent: dict[str, list[_Sent]] = {}
    own = [(position, run) for position, run in enumerate(activation) if keys_of_runs[position] is None]
    # Survey answers too: an operator's export has them among all the others.
    others = [(-1, run) for run in survey if _keys_of(run, recovered_keys) is None]
    for position, run in (*own, *others):
        for text, time in _results_of(run):
            _add(sent, text, time, position)
    also_recovered: dict[int, list[str]] = {}
    for text, candidates in recovered.items():
        for message, twin in _pair(_once(sent.get(text, [])), candidates):
            dropped.add(twin.run)
            keys = keys_of_runs[twin.run]
            if message.run >= 0 and keys is not None:
                run_id = str(activation[twin.run].values.get(keys[2]))
                also_recovered.setdefault(message.run, []).append(run_id)
    for position, run_ids in also_recovered.items():
        activation[position].append({ALSO_RECOVERED: sorted(run_ids)}, metadata)
    return [run for position, run in enumerate(activation) if position not in dropped]


def _keys_of(run: TracedData, recovered_keys: Sequence[RecoveredKeyNames]) -> RecoveredKeyNames | None:
    return next((keys for keys in recovered_keys if isinstance(run.values.get(keys[0]), str)), None)


def _find_repeated_rows(
    activation: Sequence[TracedData], keys_of_runs: Sequence[RecoveredKeyNames | None]
) -> Iterator[int]:
    seen: set[tuple[str, str]] = set()
    for position, (run, keys) in enumerate(zip(activation, keys_of_runs, strict=True)):
        run_id = None if keys is None else run.values.get(keys[2])
        if keys is None or run_id is None:
            continue
        if (keys[0], str(run_id)) in seen:
            yield position
        seen.add((keys[0], str(run_id)))


def _results_of(run: TracedData) -> Iterator[tuple[object, object]]:
    """Yield the text and the time of each result of a RapidPro run."""
    results: dict[tuple[str, ...], dict[str, object]] = {}
    for key, value in run.values.items():
        result, part = split_key(key)
        if part and value is not None:
            results.setdefault(result, {})[part] = value
    for parts in results.values():
        yield parts.get("Text", parts.get("Value")), parts.get("Time")


def _add(messages: dict[str, list[_Sent]], text: object, time: object, run: int) -> None:
    """Note a message by its text, white space aside; skip one without a time, which nobody can place."""
    if not isinstance(text, str) or not isinstance(time, str):
        return
    try:
        at = count_microseconds(parse_instant(time))
    except ValueError:
        return
    messages.setdefault(" ".join(text.split()), []).append(_Sent(at, run))


def _once(messages: Sequence[_Sent]) -> list[_Sent]:
    """Sort the messages of one text, merging simultaneous ones and keeping the one with an episode's run."""
    distinct: list[_Sent] = []
    for message in sorted(messages, key=lambda message: (message.time, message.run)):
        if distinct and message.time - distinct[-1].time < _AT_ONCE:
            distinct[-1] = _Sent(distinct[-1].time, max(distinct[-1].run, message.run))
        else:
            distinct.append(message)
    return distinct


def _pair(messages: Sequence[_Sent], recovered: Sequence[_Sent]) -> Iterator[tuple[_Sent, _Sent]]:
    """Pair RapidPro messages, in order, with their recovered copies: nearest in time first, each once."""
    times = [message.time for message in messages]
    near = [
        (abs(times[number] - twin.time), number, position)
        for position, twin in enumerate(recovered)
        for number in range(bisect_left(times, twin.time - _FARTHEST), bisect_right(times, twin.time + _FARTHEST))
    ]
    taken: set[int] = set()
    paired: set[int] = set()
    for _, number, position in sorted(near):
        if number not in taken and position not in paired:
            taken.add(number)
            paired.add(position)
            yield messages[number], recovered[position]
