"""Members of listening groups, from the attendance that the configuration names."""

import hashlib
import logging

import numpy

from engagement.configuration import Project
from engagement.foundation.hashes import are_among, hash_pairs
from engagement.foundation.partitions import hash_uid
from engagement.pipeline.outputs.group_columns import NO_GROUPS, GroupColumns
from engagement.processing.records.participant_links import ParticipantLinks

# A member: the start of the hash of the uid, and a digest of the groups.
MEMBER = numpy.dtype([("hash", "<u8"), ("groups", "<u8")])

log = logging.getLogger(__name__)


def load_listening_groups(project: Project, links: ParticipantLinks) -> GroupColumns:
    """Read the members of every listening group, by the ids that count.

    Raises
    ------
    ConfigurationError
        A file is missing, or holds something else than ids in its column of ids.
    """
    groups = project.configuration.listening_groups
    if not groups:
        return NO_GROUPS
    # Imported here, as few projects have groups.
    from engagement.sources.participant_lists import read_participant_list

    folder, prefix = project.path.parent, project.configuration.participant_prefix
    members: dict[str, list[bool]] = {}
    for number, group in enumerate(groups):
        for name in group.files:
            for uid in read_participant_list(folder / name, prefix).uids:
                members.setdefault(links.first(uid), [False] * len(groups))[number] = True
    return GroupColumns([group.column for group in groups], {uid: tuple(found) for uid, found in members.items()})


def make_member_records(groups: GroupColumns) -> numpy.ndarray:
    """Make the record of each member, in the order of the hashes."""
    records = numpy.array(
        [(_start_of_hash(uid), _digest(found)) for uid, found in groups.members.items()],
        dtype=MEMBER,
    )
    records.sort(order="hash")
    return records


def find_changed_members(old: numpy.ndarray, new: numpy.ndarray) -> numpy.ndarray:
    """Find who joined or left a group, by hash, in order."""
    pairs = [hash_pairs(records["hash"], records["groups"]) for records in (old, new)]
    left, joined = (numpy.isin(own, other, invert=True) for own, other in (pairs, reversed(pairs)))
    return numpy.union1d(old["hash"][left], new["hash"][joined])


def log_attendance(groups: GroupColumns, participants: numpy.ndarray) -> None:
    """Say how many members of each group took part.

    `participants` are the hashes of those with runs, in order.
    """
    for number, name in enumerate(groups.names):
        members = [_start_of_hash(uid) for uid, found in groups.members.items() if found[number]]
        took_part = int(are_among(numpy.array(members, numpy.uint64), participants).sum())
        log.info("%s: %d in the files, %d took part", name, len(members), took_part)


def _start_of_hash(uid: str) -> int:
    return int(hash_uid(uid)[:16], 16)


def _digest(found: tuple[bool, ...]) -> int:
    return int.from_bytes(hashlib.sha256(bytes(found)).digest()[:8])
