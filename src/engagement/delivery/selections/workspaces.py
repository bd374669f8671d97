"""Hand a selection over to RapidPro, to a group or a field, by contacts' uuids: no number is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from engagement.configuration.contact_selections import ContactTarget
from engagement.configuration.source_types import load_part
from engagement.delivery.selections.people import People
from engagement.foundation.errors import ServiceError
from engagement.services.rapidpro.contact_writer import ContactWriter
from engagement.services.rapidpro.written import Written
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage

YES = "yes"
# Told before anything is sent to a target, and when it is done: the target, its participants, and the counts at the end.
_Write = Callable[[ContactWriter, str, frozenset[str]], Written]
Record = Callable[[str, Collection[str], Mapping[str, int] | None], None]


@dataclass
class WrittenTargets:
    """What was written, by target, and how many participants have no contact in any workspace."""

    written: dict[str, Written] = field(default_factory=dict)
    without_contact: int = 0

    @property
    def refused(self) -> int:
        """Number of contacts that RapidPro refused."""
        return sum(written.refused for written in self.written.values())


def write_to_workspaces(
    people: People, uids: Collection[str], to: ContactTarget, storage: Storage, policy: RetryPolicy, record: Record
) -> WrittenTargets:
    """Write a selection to every workspace of the project; only differences are sent.

    Raises
    ------
    ServiceError
        A workspace refuses, can't be reached, or can't take the group or field. Running it again goes on from there.
    """
    found = WrittenTargets()
    have_contact: set[str] = set()
    names: set[str] = set()
    for source in people.project.configuration.raw_data_sources:
        if not source.takes_writes:
            continue
        part = load_part(source.source_type, "write_back")
        with part.open_workspace(source, storage, policy, people.data_root, False) as space:
            if space.name in names:
                continue
            names.add(space.name)
            own = {uid: space.contacts[uid] for uid in uids if uid in space.contacts}
            have_contact |= own.keys()
            contacts = frozenset(contact for some in own.values() for contact in some)
            writes: list[tuple[str, _Write, str]] = []
            writes += [(f"{space.where}: group {to.group!r}", _fill_group, to.group)] if to.group is not None else []
            writes += [(f"{space.where}: field {to.field!r}", _set_field, to.field)] if to.field is not None else []
            for target, write, name in writes:
                record(target, own, None)
                written = found.written[target] = write(space.contact_writer, name, contacts)
                record(target, own, {"changed": written.changed, "same": written.same, "refused": written.refused})
    found.without_contact = len(set(uids) - have_contact)
    return found


def _fill_group(writer: ContactWriter, name: str, contacts: frozenset[str]) -> Written:
    return writer.set_group(name, contacts, removed=writer.members(name) - contacts)


def _set_field(writer: ContactWriter, key: str, contacts: frozenset[str]) -> Written:
    problems = writer.find_fields([key])
    if problems:
        raise ServiceError(f"RapidPro: contact field {key!r}: {problems[key]}")
    return writer.set_fields({contact: {key: YES} for contact in contacts})
