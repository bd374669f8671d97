"""Withdrawals that a changed file in LinkedParticipants would undo."""

import logging
from pathlib import Path

from engagement.foundation.errors import InputError, count_of
from engagement.foundation.record_files import read_records
from engagement.processing.records.participant_links import LINK, ParticipantLinks, make_link_records
from engagement.processing.records.participant_notes import PARTICIPANT, PARTICIPANTS
from engagement.processing.reuse.note_files import notes_folder
from engagement.processing.reuse.run_notes import LINKS

log = logging.getLogger(__name__)


def refuse_unlinked_withdrawals(data_root: Path, links: ParticipantLinks, is_accepted: bool) -> None:
    """Refuse to part ids of people who withdrew by the last run's outputs, unless accepted.

    Raises
    ------
    InputError
        Says how many ids.
    """
    folder = notes_folder(data_root)
    try:
        before = read_records(folder / f"{LINKS}.array", LINK)
        participants = read_records(folder / f"{PARTICIPANTS}.array", PARTICIPANT) if len(before) else None
    except (OSError, ValueError):
        return
    if participants is None:
        return
    withdrawn = frozenset(participants["hash"][participants["has_withdrawn"]].tolist())
    now = dict(make_link_records(links).tolist())
    parted = sum(
        first in withdrawn and now.get(other, other) != now.get(first, first) for other, first in before.tolist()
    )
    if not parted:
        return
    if not is_accepted:
        raise InputError(
            f"LinkedParticipants: {count_of(parted, 'id')} of people who withdrew consent would no longer be linked; expected them to stay, "
            "as STOP under one id is STOP under all. Nothing was replaced or uploaded. Put the rows back into the files. With "
            "--accept-lost-withdrawals each id counts for itself again, and some of these people may be in the outputs."
        )
    log.warning(
        "Withdrawals of consent may be undone, as --accept-lost-withdrawals was given: %s no longer linked",
        count_of(parted, "id"),
    )
