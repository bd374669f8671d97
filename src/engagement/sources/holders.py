"""The latest holders of ids in the uuid table.

A number that changed hands has a "holder 2" after its first one, and so on.
Every source looks a person up here, so one number is one uid whichever way its holder answers.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from engagement.services.uuid_tables.protocol import UuidExchange
from engagement.sources.forgotten_ids import is_free

# Rows of all holders but the latest may have been released: these are looked for one by one.
_MOST_HOLDERS = 9


class LatestHolders[Asker](NamedTuple):
    """What the table knows.

    `identities` is the id that counts for each one who asked. `latest` has the number (from 1) and uuid of each id's latest holder;
    `known` are the uuids that were there before.
    """

    identities: dict[Asker, str]
    latest: dict[str, tuple[int, str]]
    known: list[str]


def find_latest_holders[Asker](table: UuidExchange, possible: Mapping[Asker, Sequence[str]]) -> LatestHolders[Asker]:
    """Look up the latest holder of each id; an unknown id gets a uuid.

    `possible` has the possible ids of each one who asks, oldest form first: the first known one counts, else the last.
    """
    everything = {identity for found in possible.values() for identity in found}
    uuids = table.find(everything)
    beyond = find_beyond_gaps(table, everything)
    identities = {
        asker: next((identity for identity in found if identity in uuids or identity in beyond), found[-1])
        for asker, found in possible.items()
    }
    latest = {identity: (1, uuids[identity]) for identity in identities.values() if identity in uuids}
    latest |= {identity: beyond[identity] for identity in identities.values() if identity in beyond}
    # Only a known number can have changed hands.
    number, handed_on = 2, table.find({holder_id(identity, 2) for identity, (last, _) in latest.items() if last == 1})
    while handed_on:
        latest |= {
            identity: (number, handed_on[holder_id(identity, number)])
            for identity in latest
            if holder_id(identity, number) in handed_on
        }
        number += 1
        handed_on = table.find(
            {holder_id(identity, number) for identity, (last, _) in latest.items() if last == number - 1}
        )
    free = {identity: number for identity, (number, uuid) in latest.items() if is_free(uuid)}
    known = [uuid for identity, (_, uuid) in latest.items() if identity not in free]
    new = {
        identity: free.get(identity, 1)
        for identity in identities.values()
        if identity in free or identity not in latest
    }
    ids = {identity: holder_id(identity, number) if number > 1 else identity for identity, number in new.items()}
    made = table.uuids_for(set(ids.values()))
    latest |= {identity: (number, made[ids[identity]]) for identity, number in new.items()}
    return LatestHolders(identities, latest, known)


def find_beyond_gaps(table: UuidExchange, ids: Collection[str]) -> dict[str, tuple[int, str]]:
    """Find the last later holder of each id, where rows of earlier ones may have been released.

    Without gaps there is nothing to find: the holders follow each other.
    """
    if not ids or not table.has_gaps:
        return {}
    later = {
        holder_id(identity, number): (identity, number) for identity in ids for number in range(2, _MOST_HOLDERS + 1)
    }
    found: dict[str, tuple[int, str]] = {}
    for name, uuid in table.find(later).items():
        identity, number = later[name]
        found[identity] = max(found.get(identity, (0, "")), (number, uuid))
    return found


def holder_id(identity: str, number: int) -> str:
    """Name a later holder of an id in the table."""
    # No scheme of a URN has a blank in it.
    return f"holder {number}:{identity}"
