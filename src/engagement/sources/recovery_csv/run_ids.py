"""Run ids of recovered messages, the same for an export that is sorted or saved again.

A message is its sender, its time and its text, and which of the messages that share them it is: the first, the second … So files
that overlap have the same ids for the messages that they share, and stage 3 counts each of them once; and somebody who
sent "1" twice in a minute has two.

Earlier versions made an id of all cells of a row as they were written. What Raw Data/ has from them keeps those ids, in all the
files that have the message.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from engagement.configuration.raw_keys import RecoveredKeyNames
from engagement.foundation.microseconds import count_microseconds

# Sender, microseconds since 1970, text.
_Triple = tuple[str, int, str]
_LINE_END = re.compile(r"\r\n?")


class _Entry(msgspec.Struct):
    data: dict[str, object] = msgspec.field(name="Data")


_decode = msgspec.json.Decoder(list[_Entry]).decode


class RunIds:
    """Ids for messages of files with the same raw keys; `files` are theirs in Raw Data/, if there."""

    def __init__(self, files: Iterable[Path], raw_keys: RecoveredKeyNames):
        known: dict[_Triple, list[list[str]]] = {}
        for path in files:
            own: dict[_Triple, list[str]] = {}
            for triple, run_id in _read_ids(path, raw_keys):
                own.setdefault(triple, []).append(run_id)
            for triple, ids in own.items():
                known.setdefault(triple, []).append(ids)
        self._earlier = {triple: found for triple, lists in known.items() if (found := _find_earlier(triple, lists))}

    def number(self, messages: Iterable[tuple[str, datetime, str]]) -> Iterator[str]:
        """Yield the id of each message of a file: its sender, its time and its text."""
        counts: Counter[_Triple] = Counter()
        for sender, time, text in messages:
            triple = _make_triple(sender, time, text)
            counts[triple] += 1
            number = counts[triple]
            earlier = self._earlier.get(triple, ())
            yield earlier[number - 1] if number <= len(earlier) else _make_id(triple, number)


def _read_ids(path: Path, raw_keys: RecoveredKeyNames) -> Iterator[tuple[_Triple, str]]:
    """Read the messages of a file in Raw Data/; lines that can't be read are written again anyway."""
    if not path.exists():
        return
    text_key, time_key, run_id_key = raw_keys
    with path.open("rb") as file:
        for line in file:
            try:
                (entry,) = _decode(line)
                sender, text = entry.data["avf_phone_id"], entry.data[text_key]
                time = datetime.fromisoformat(str(entry.data[time_key]))
                run_id = entry.data[run_id_key]
            except (msgspec.MsgspecError, ValueError, KeyError):
                continue
            if time.tzinfo is not None:
                yield _make_triple(str(sender), time, str(text)), str(run_id)


def _find_earlier(triple: _Triple, lists: Sequence[Sequence[str]]) -> list[str]:
    """Find the ids that earlier versions gave to messages alike, as many as the fullest file has."""
    ours = {_make_id(triple, number) for number in range(1, max(map(len, lists)) + 1)}
    found: list[str] = []
    for ids in lists:
        earlier = [run_id for run_id in ids if run_id not in ours]
        unused = [run_id for run_id in earlier if run_id not in found]
        found += unused[: max(0, len(earlier) - len(found))]
    return found


def _make_triple(sender: str, time: datetime, text: str) -> _Triple:
    # A program that saves a file again may change its line ends.
    return sender, count_microseconds(time), _LINE_END.sub("\n", text)


def _make_id(triple: _Triple, number: int) -> str:
    return hashlib.sha256(json.dumps([*triple, number]).encode()).hexdigest()
