"""Find participants who withdrew consent: the outputs don't name them, stage 3's notes hash them."""

from collections.abc import Iterable
from pathlib import Path

from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json
from engagement.foundation.partitions import hash_uid
from engagement.foundation.record_files import read_records
from engagement.processing.records.participant_notes import PARTICIPANT, PARTICIPANTS
from engagement.processing.reuse.run_notes import NOTES, VERSION, notes_folder


def find_withdrawn(data_root: Path, uids: Iterable[str]) -> frozenset[str]:
    """Find which of these participants withdrew in any dataset, by the last run of stage 3.

    Raises
    ------
    InputError
        There are no notes of that run, or they can't be read.
    """
    folder = notes_folder(data_root)
    remedy = "Run stage 3 (generate outputs) and this again."
    if not (folder / NOTES).exists():
        raise InputError(f"{folder}: not there; expected stage 3's notes, which tell who withdrew. {remedy}")
    document = read_json(folder / NOTES, what="stage 3's notes", remedy=remedy)
    version = document.get("version") if isinstance(document, dict) else None
    if version != VERSION:
        raise InputError(f"{folder / NOTES}: 'version' is {version!r}; expected {VERSION}. {remedy}")
    try:
        notes = read_records(folder / f"{PARTICIPANTS}.array", PARTICIPANT)
    except (OSError, ValueError):
        raise InputError(
            f"{folder}: the notes on participants can't be read; expected them as stage 3 wrote them. {remedy}"
        ) from None
    hashes = frozenset(notes["hash"][notes["has_withdrawn"]].tolist())
    return frozenset(uid for uid in uids if int(hash_uid(uid)[:16], 16) in hashes)
