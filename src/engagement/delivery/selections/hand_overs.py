"""Hand-overs/: the record of who was handed over to whom; data that back-ups hold.

`hand_overs.jsonl` has two lines for each hand-over: one before it begins and one when it is done. A line says when, by whom,
which selection, where to, the counts, and the SHA-256 of the participants' ids; `uids/<SHA-256>.txt` lists these ids. No
phone number is in it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from engagement.foundation.errors import InputError
from engagement.foundation.files import hold_directory, make_directory, open_for_writing

BEGUN, DONE = "begun", "done"
# The target that is no group or field of a workspace.
FILE = "file"


class HandOver(msgspec.Struct, frozen=True):
    """A line of the record. `at` is ISO 8601; `target` is like "group 's01e06 advert'" or "file"."""

    at: str
    by: str
    event: str
    selection: str
    target: str
    participants: int
    digest: str
    counts: dict[str, int]


_decode = msgspec.json.Decoder(HandOver).decode


@dataclass(frozen=True)
class EarlierHandOver:
    """A hand-over that began, with its participants."""

    at: datetime
    selection: str
    target: str
    uids: frozenset[str]


def hand_overs_folder(data_root: Path) -> Path:
    """Name the folder in a data root; it need not exist."""
    return data_root / "Hand-overs"


def digest_uids(uids: Iterable[str]) -> str:
    """Digest participants' ids: the SHA-256 of a file with one a line, in order."""
    return hashlib.sha256(_list(uids).encode()).hexdigest()


def _list(uids: Iterable[str]) -> str:
    return "".join(f"{uid}\n" for uid in sorted(uids))


def record_hand_over(data_root: Path, hand_over: HandOver, uids: Sequence[str]) -> None:
    """Add a line to the record, and keep the ids that it is about."""
    folder = hand_overs_folder(data_root)
    with hold_directory(folder):
        ids = make_directory(folder / "uids") / f"{hand_over.digest}.txt"
        if not ids.exists():
            with open_for_writing(ids) as file:
                file.write(_list(uids))
        path = _record(folder)
        earlier = path.read_text(encoding="utf-8") if path.exists() else ""
        with open_for_writing(path) as file:
            file.write(earlier + json.dumps(msgspec.to_builtins(hand_over), sort_keys=True) + "\n")


def read_hand_overs(data_root: Path) -> Iterator[EarlierHandOver]:
    """Read every hand-over that began, with its participants.

    Raises
    ------
    InputError
        A line of the record or a list of ids is damaged or missing.
    """
    folder = hand_overs_folder(data_root)
    path = _record(folder)
    if not path.exists():
        return
    known: dict[str, frozenset[str]] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        try:
            hand_over = _decode(line)
            at = datetime.fromisoformat(hand_over.at)
            if hand_over.digest not in known:
                known[hand_over.digest] = _read_uids(folder, hand_over.digest)
        except (msgspec.MsgspecError, ValueError, OSError):
            raise InputError(
                f"{path}, line {number}: damaged, or its list of ids in uids/ is; expected them as they were written. "
                "Restore the folder from the newest archive of the data root."
            ) from None
        if hand_over.event == BEGUN:
            yield EarlierHandOver(at, hand_over.selection, hand_over.target, known[hand_over.digest])


def _read_uids(folder: Path, digest: str) -> frozenset[str]:
    uids = (folder / "uids" / f"{digest}.txt").read_text(encoding="utf-8").split("\n")[:-1]
    if digest_uids(uids) != digest:
        raise ValueError(digest)
    return frozenset(uids)


def _record(folder: Path) -> Path:
    return folder / "hand_overs.jsonl"


def make_hand_over(
    at: datetime, by: str, event: str, selection: str, target: str, uids: Sequence[str], counts: Mapping[str, int]
) -> HandOver:
    """Make a line of the record."""
    return HandOver(at.isoformat(), by, event, selection, target, len(uids), digest_uids(uids), dict(counts))
