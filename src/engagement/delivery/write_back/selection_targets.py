"""Hand a selection over to RapidPro, to a group or a field, by contacts' uuids: no number is read.

Which group and field it was is remembered, so that a group is followed when somebody renames it, and so that WriteBack takes
back what a participant was given who withdraws later.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engagement.configuration.contact_selections import ContactTarget
from engagement.configuration.source_types import load_part
from engagement.delivery.selections.people import People
from engagement.delivery.write_back.fields import field_mark
from engagement.delivery.write_back.limits import refuse_many
from engagement.delivery.write_back.marks import YES
from engagement.delivery.write_back.state import WriteBackState, open_state, state_path
from engagement.foundation.errors import ServiceError
from engagement.services.rapidpro.contact_writer import ContactWriter
from engagement.services.rapidpro.written import Written
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage

# Told before anything is sent to a target, and when it is done: the target, its participants, and the counts at the end.
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


@dataclass(frozen=True)
class _Space:
    """A workspace. `own` are the contacts of the selection's participants, by participant."""

    where: str
    contact_writer: ContactWriter
    state: WriteBackState
    own: Mapping[str, Sequence[str]]

    def targets(self, to: ContactTarget) -> Iterator[tuple[str, Callable[[], Written]]]:
        """Give each place to write to, and how."""
        contacts = frozenset(contact for some in self.own.values() for contact in some)
        if to.group is not None:
            group = to.group
            yield f"{self.where}: group {group!r}", lambda: self._fill_group(group, contacts)
        if to.field is not None:
            key = to.field
            yield f"{self.where}: field {key!r}", lambda: self._set_field(key, contacts)

    @contextlib.contextmanager
    def rehearse(self) -> Iterator[None]:
        """Within it nothing is sent or kept."""
        with self.contact_writer.rehearse(), self.state.rehearse():
            yield

    def _fill_group(self, name: str, contacts: frozenset[str]) -> Written:
        group = self.contact_writer.find_group(name)
        written = self.contact_writer.leave_group(group, self.contact_writer.members(group) - contacts)
        written.add(self.contact_writer.set_group(name, contacts))
        group = self.contact_writer.find_group(name)
        if group is not None and not written.refused:
            self.state.use_group(group.uuid, is_stop=False)
            self.state.keep_group(group.uuid, contacts)
        return written

    def _set_field(self, key: str, contacts: frozenset[str]) -> Written:
        problems = self.contact_writer.find_fields([key])
        if problems:
            raise ServiceError(f"{self.where}: contact field {key!r}: {problems[key]}")
        self.state.remember_flags([key])
        return self.contact_writer.set_fields(
            {contact: {key: YES} for contact in contacts},
            done=lambda some: self.state.settle(some, {field_mark(key): YES}),
        )


def write_to_workspaces(
    people: People,
    uids: Collection[str],
    to: ContactTarget,
    storage: Storage,
    policy: RetryPolicy,
    record: Record,
    at_most: int | None = None,
) -> WrittenTargets:
    """Write a selection to every workspace of the project; only differences are sent.

    Raises
    ------
    ServiceError
        A workspace refuses, can't be reached, or can't take the group or field. Running it again goes on from there.
    LimitError
        More contacts would change than `at_most`; nothing was sent.
    """
    found = WrittenTargets()
    with contextlib.ExitStack() as stack:
        spaces = _open_all(people, uids, storage, policy, stack)
        if at_most is not None:
            _refuse_many(spaces, to, at_most)
        for space in spaces:
            for target, write in space.targets(to):
                record(target, space.own, None)
                written = found.written[target] = write()
                counts = {"changed": written.changed, "same": written.same, "refused": written.refused}
                record(target, space.own, counts)
    found.without_contact = len(set(uids).difference(*(space.own for space in spaces)))
    return found


def _open_all(
    people: People, uids: Collection[str], storage: Storage, policy: RetryPolicy, stack: contextlib.ExitStack
) -> list[_Space]:
    """Open every workspace once."""
    spaces: dict[str, _Space] = {}
    for source in people.project.configuration.raw_data_sources:
        if not source.takes_writes:
            continue
        part = load_part(source.source_type, "write_back")
        opened = stack.enter_context(part.open_workspace(source, storage, policy, people.data_root, False))
        if opened.name not in spaces:
            state = stack.enter_context(open_state(state_path(people.data_root, opened.name)))
            opened.contact_writer.targets.memory = state
            contacts = people.links.share(opened.contacts)
            own = {uid: contacts[uid] for uid in uids if uid in contacts}
            spaces[opened.name] = _Space(opened.where, opened.contact_writer, state, own)
    return list(spaces.values())


def _refuse_many(spaces: Sequence[_Space], to: ContactTarget, at_most: int) -> None:
    parts = []
    for space in spaces:
        with space.rehearse():
            parts += [(target, write().changed) for target, write in space.targets(to)]
    changed = sum(len(space.contact_writer.would_change) for space in spaces)
    accept = "if that is right, run this once more with --accept-many"
    refuse_many("The selection", changed, at_most, parts, f"Check the selection; {accept}, or raise AtMost.")
