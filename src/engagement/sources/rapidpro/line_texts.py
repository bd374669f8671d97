"""Texts in the lines of a flow's runs, kept in case a newer version of a run comes without.

Servers since the end of 2024 send only the part of each answer that a flow's test matched ("25"), not the whole text ("nin 25
jir ah"). A whole text known from an earlier version, or from the message, stays.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from engagement.foundation.microseconds import count_microseconds
from engagement.provenance import Metadata, encode_fresh_chain, text_value
from engagement.services.rapidpro.rows import Result, Run

_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode


class LineResult(NamedTuple):
    """An answer as it stands in a line. `time` is in microseconds since 1970."""

    value: str | None
    text: str | None
    time: int


class LineTexts:
    """Reads and replaces the texts in lines of one flow."""

    def __init__(self, flow_name: str):
        self._ends = {part: f" ({part}) - {flow_name}" for part in ("Value", "Text", "Time")}

    def read(self, line: bytes) -> dict[str, LineResult]:
        """Map the answers of a run by their category."""
        data = _decode(line)[-1]["Data"]
        value, text, time = self._ends.values()
        categories = [key.removesuffix(text) for key in data if key.endswith(text)]
        return {
            category: LineResult(
                data[category + value],
                data[category + text],
                count_microseconds(datetime.fromisoformat(data[category + time])),
            )
            for category in categories
        }

    def replace(self, line: bytes, texts: Mapping[str, str], metadata: Metadata) -> bytes:
        """Replace a line's texts, by category; returns the same line if none differs."""
        end = self._ends["Text"]
        made = [update["Data"] for update in reversed(_decode(line))]
        values = {category + end: text_value(text) for category, text in texts.items()}
        changed = {key: value for key, value in values.items() if made[0][key] != value}
        if not changed:
            return line
        made[0] |= changed
        return encode_fresh_chain((data, metadata) for data in made).encode("ascii") + b"\n"


def lacks_texts(run: Run) -> bool:
    """Check if a run came without the whole texts of its answers."""
    return any(_is_without_text(result) for result in (run.values or {}).values())


def complete(run: Run, known: Mapping[str, LineResult]) -> None:
    """Put known texts into a run that came without them, where the answer is the same."""
    for key, result in (run.values or {}).items():
        if not _is_without_text(result):
            continue
        found = known.get(key.title())
        if found is not None and found.value == result.value and _is_same_time(found, result):
            result.input = found.text


def first_to_look_up(run: Run, known: Mapping[str, LineResult], from_known: int | None) -> int | None:
    """Find the time of the first answer whose whole text needs a look-up.

    Those of `known` were looked up already, except from the time `from_known` on, if it is given.
    """
    times = []
    for key, result in (run.values or {}).items():
        if result.value and result.input is msgspec.UNSET:
            times.append(count_microseconds(result.time))
        elif (found := known.get(key.title())) and from_known is not None and found.time >= from_known:
            times.append(found.time)
    return min(times, default=None)


def _is_without_text(result: Result) -> bool:
    return result.input is msgspec.UNSET


def _is_same_time(known: LineResult, result: Result) -> bool:
    # Archives round what live pages cut off.
    return abs(known.time - count_microseconds(result.time)) <= 1
