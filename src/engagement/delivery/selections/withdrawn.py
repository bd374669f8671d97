"""Find participants who withdrew consent: the outputs don't name them, stage 3's notes hash them.

STOP is STOP everywhere: of other projects with the same uuid table, their data roots' notes or lists of ids say who withdrew.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy

from engagement.configuration.contact_selections import WithdrawnElsewhere
from engagement.foundation.errors import InputError, count_of
from engagement.foundation.files import read_json
from engagement.foundation.partitions import hash_uid
from engagement.foundation.record_files import read_records
from engagement.processing.records.participant_links import LINK
from engagement.processing.records.participant_notes import PARTICIPANT, PARTICIPANTS
from engagement.processing.reuse.note_files import NOTES, VERSION, notes_folder
from engagement.processing.reuse.run_notes import LINKS
from engagement.sources.participant_lists import read_participant_list

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WithdrawnThere:
    """Participants of this project who withdrew in others, and a sentence for each place that tells so."""

    uids: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def find_withdrawn(data_root: Path, uids: Iterable[str]) -> frozenset[str]:
    """Find which of these participants withdrew in any dataset, by the last run of stage 3.

    Raises
    ------
    InputError
        There are no notes of that run, or they can't be read.
    """
    withdrawn, _ = _read_hashes(data_root, "Run stage 3 (generate outputs) and this again.")
    return frozenset(uid for uid in uids if _hash(uid) in withdrawn)


def find_withdrawn_elsewhere(
    wanted: WithdrawnElsewhere | None, folder: Path, prefix: str, uids: Iterable[str]
) -> WithdrawnThere:
    """Find which of these participants withdrew in other projects; `folder` is that of the configuration.

    Raises
    ------
    ConfigurationError
        A list is missing, or holds something else than ids.
    InputError
        A data root is missing, or has no notes of stage 3 that can be read.
    """
    if wanted is None:
        return WithdrawnThere()
    known = frozenset(uids)
    hashes = {_hash(uid): uid for uid in known} if wanted.data_roots else {}
    found: set[str] = set()
    notes = []
    for name in wanted.data_roots:
        there = folder / name
        withdrawn, everybody = _read_hashes(
            there, "Correct WithdrawnElsewhere, or run stage 3 (generate outputs) of that project and this again."
        )
        own = {hashes[one] for one in withdrawn if one in hashes}
        made = datetime.fromtimestamp((notes_folder(there) / NOTES).stat().st_mtime, UTC)
        notes.append(
            f"{name}: {len(withdrawn):,} withdrew there by {made:%Y-%m-%d %H:%M} UTC, {len(own):,} of them known here"
        )
        if known and everybody and everybody.isdisjoint(hashes):
            _warn(f"{name}: none of its {count_of(len(everybody), 'participant')}")
        found |= own
    for name in wanted.files:
        listed = read_participant_list(folder / name, prefix)
        own = set(listed.uids & known)
        notes.append(f"{name}: {listed.lines:,} line(s), {len(own):,} known here")
        if known and listed.uids and not own:
            _warn(f"{name}: none of its {count_of(len(listed.uids), 'id')}")
        found |= own
    return WithdrawnThere(frozenset(found), tuple(notes))


def _warn(what: str) -> None:
    _logger.warning(
        "WithdrawnElsewhere: %s is known here; expected some if both projects use one uuid table. Check that they do",
        what,
    )


def _read_hashes(data_root: Path, remedy: str) -> tuple[frozenset[int], frozenset[int]]:
    """Read the hashes of who withdrew, and of everybody, linked ids included, from a data root's notes."""
    folder = notes_folder(data_root)
    if not (folder / NOTES).exists():
        raise InputError(f"{folder}: not there; expected stage 3's notes, which tell who withdrew. {remedy}")
    document = read_json(folder / NOTES, what="stage 3's notes", remedy=remedy)
    version = document.get("version") if isinstance(document, dict) else None
    if version != VERSION:
        raise InputError(f"{folder / NOTES}: 'version' is {version!r}; expected {VERSION}. {remedy}")
    try:
        notes = read_records(folder / f"{PARTICIPANTS}.array", PARTICIPANT)
        links = read_records(folder / f"{LINKS}.array", LINK)
    except (OSError, ValueError):
        raise InputError(
            f"{folder}: the notes on participants can't be read; expected them as stage 3 wrote them. {remedy}"
        ) from None
    withdrawn, everybody = _listed(notes["hash"][notes["has_withdrawn"]]), _listed(notes["hash"])
    others = links.tolist()
    return (
        withdrawn.union(other for other, first in others if first in withdrawn),
        everybody.union(other for other, _ in others),
    )


def _listed(hashes: numpy.ndarray) -> frozenset[int]:
    return frozenset(hashes.tolist())


def _hash(uid: str) -> int:
    return int(hash_uid(uid)[:16], 16)
