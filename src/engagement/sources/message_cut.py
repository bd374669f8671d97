"""The cut: messages that were sent before it are over age, and no fetch takes them.

    Runs/retention/raw_texts.json   the cut, the period that it was made of, and SHA-256 of the texts that coders labelled STOP

`apply-retention` moves it, once all that is older is removed, and only forward. A fetch never moves it. It lies beside the receipts,
as State/ may be removed.

A message with a text that was labelled STOP stays, however old it is: without it, a withdrawal of consent would be undone.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from engagement.configuration import PipelineConfiguration
from engagement.configuration.raw_keys import read_result_key
from engagement.foundation.errors import InputError
from engagement.foundation.files import make_directory, read_json, write_json

_VERSION = 1
_CREATED = "run_created_on - "
_TEXTS = ("Text", "Value")


class MessageCut(msgspec.Struct, frozen=True):
    """A time, in UTC, and the SHA-256 of texts whose messages stay."""

    before: datetime
    stays: frozenset[str] = frozenset()

    def removes(self, times: Iterable[datetime | None], texts: Iterable[str | None]) -> bool:
        """Check if a run or message goes: each of its times is before the cut, and none of its texts stays.

        Without any time, nobody knows how old it is: it stays.
        """
        known = [time for time in times if time is not None]
        return bool(known) and max(known) < self.before and not self.keeps(texts)

    def keeps(self, texts: Iterable[str | None]) -> bool:
        """Check if one of these texts stays, however old it is."""
        return any(digest_of(text) in self.stays for text in texts)


def digest_of(text: object) -> str:
    """Digest a text, as messages in Coda are named; nothing is no text."""
    return "" if not isinstance(text, str) else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def cut_path(data_root: Path) -> Path:
    """Name the file in a data root; it need not exist."""
    return data_root / "Runs" / "retention" / "raw_texts.json"


def read_cut(data_root: Path) -> MessageCut | None:
    """Read the cut; None if nothing was ever removed for its age.

    Raises
    ------
    InputError
        The file is damaged.
    """
    path = cut_path(data_root)
    if not path.exists():
        return None
    try:
        document = read_json(path)
        before = datetime.fromisoformat(document["Before"])
        if document["Version"] != _VERSION or before.tzinfo is None:
            raise ValueError
        return MessageCut(before.astimezone(UTC), frozenset(map(str, document["Stays"])))
    except (InputError, KeyError, TypeError, ValueError):
        raise InputError(
            f"{path}: can't be read; expected the time before which messages are over age. Restore the file from the newest archive "
            "of the data root: without it, messages that were removed come back."
        ) from None


def write_cut(data_root: Path, cut: MessageCut, period: str) -> None:
    """Move the cut."""
    path = cut_path(data_root)
    make_directory(path.parent)
    document = {"Version": _VERSION, "Before": cut.before.isoformat(), "Period": period, "Stays": sorted(cut.stays)}
    write_json(path, document)


class LineAges:
    """Says which lines of raw data a cut removes."""

    def __init__(self, cut: MessageCut, configuration: PipelineConfiguration):
        self.cut = cut
        self._text_keys = {text for text, _, _ in configuration.recovered_keys}
        self._time_keys = {time for _, time, _ in configuration.recovered_keys}

    def removes(self, values: Mapping[str, object]) -> bool:
        """Check if a line with these values goes."""
        return self.cut.removes(self.times_of(values), self._texts_of(values))

    def keeps(self, values: Mapping[str, object]) -> bool:
        """Check if a line with these values stays, however old it is."""
        return self.cut.keeps(self._texts_of(values))

    @property
    def keys(self) -> list[list[str]]:
        """The keys of the configuration that say where else times and texts are."""
        return [sorted(self._time_keys), sorted(self._text_keys)]

    def removes_line(self, line: bytes) -> bool:
        """Check if an encoded line goes."""
        return self.removes(read_values(line))

    def times_of(self, values: Mapping[str, object]) -> Iterator[datetime | None]:
        """Read the times that say how old a line is: of the run, and of each answer in it."""
        for key, value in values.items():
            if key.startswith(_CREATED) or key in self._time_keys or _part_of(key) == "Time":
                yield _read_time(value)

    def _texts_of(self, values: Mapping[str, object]) -> Iterator[str | None]:
        for key, value in values.items():
            if isinstance(value, str) and (key in self._text_keys or _part_of(key) in _TEXTS):
                yield value


def read_values(line: bytes) -> dict[str, Any]:
    """Merge the data of a line's updates; the newest comes first."""
    merged: dict[str, Any] = {}
    for update in reversed(msgspec.json.decode(line)):
        merged |= update["Data"]
    return merged


def _part_of(key: str) -> str | None:
    result = read_result_key(key) if ") - " in key else None
    return None if result is None else result.part


def _read_time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return time if time is not None and time.tzinfo is not None else None


def texts_that_stay(texts: Collection[str], separator: str) -> frozenset[str]:
    """Digest texts, and the parts of those that were joined."""
    parts = {part for text in texts for part in (text, *text.split(separator))}
    return frozenset(map(digest_of, parts))
