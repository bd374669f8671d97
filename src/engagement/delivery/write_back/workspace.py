"""Write the marks to one workspace: people who withdrew first, and everybody else after them.

Each step leaves the rest to the next night if RapidPro refuses it or can't be reached.
"""

import contextlib
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from engagement.configuration.write_back import WriteBack
from engagement.delivery.write_back.fields import (
    Wishes,
    field_mark,
    leave_out_settled,
    wish_for_others,
    wish_for_withdrawn,
)
from engagement.delivery.write_back.marks import Marks
from engagement.delivery.write_back.state import WriteBackState
from engagement.foundation.errors import count_of
from engagement.services.rapidpro.contact_writer import ContactWriter, text_of
from engagement.services.rapidpro.targets import UnusableTargetError
from engagement.services.rapidpro.written import Written

BLOCKED = "blocked"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """A place that is written to: the part of the configuration it comes from, and its name for people."""

    origin: str
    name: str
    is_leaving: bool = False
    # Whether what is written are participants without a contact.
    is_new: bool = False


@dataclass
class OpenWorkspace:
    """A workspace while it is written to.

    `contacts` are uuids by participant; `begin` is told of each target, and its contacts, before it is written.
    """

    where: str
    contacts: dict[str, list[str]]
    contact_writer: ContactWriter
    state: WriteBackState
    begin: Callable[[Target, Collection[str]], None]
    is_dry: bool = False
    is_full: bool = False
    is_told: bool = True
    problems: list[str] = field(default_factory=list)
    written: list[tuple[Target, Collection[str], Written]] = field(default_factory=list)

    def contacts_of(self, uids: Collection[str]) -> frozenset[str]:
        """Return the contacts of participants."""
        return frozenset(contact for uid in uids for contact in self.contacts.get(uid, ()))

    def add_contact(self, uid: str, contact: str) -> None:
        """Add a participant's new contact."""
        own = self.contacts.setdefault(uid, [])
        if contact not in own:
            own.append(contact)

    @contextlib.contextmanager
    def rehearse(self) -> Iterator["OpenWorkspace"]:
        """Give this workspace to try everything out with: nothing is sent, kept or told."""
        with self.contact_writer.rehearse(), self.state.rehearse():
            yield replace(
                self, begin=lambda target, contacts: None, is_dry=True, is_told=False, problems=[], written=[]
            )


def write_workspace(
    space: OpenWorkspace, wanted: WriteBack, marks: Marks, create: Callable[[OpenWorkspace], None] | None = None
) -> None:
    """Write everything, and note what can't be written; `create` makes missing contacts, after STOP.

    Raises
    ------
    ServiceError
        RapidPro can't be reached any more, or the token may not write.
    """
    withdrawn = space.contacts_of(marks.withdrawn)
    stop = wanted.withdrawn
    key = None if stop is None else stop.field
    emptied = {name: _empty(space, name, *marks.groups[name], withdrawn) for name in marks.groups}
    if stop is not None and stop.group is not None:
        _fill_stop_group(space, stop.group, withdrawn, wanted.allow_clearing)
    if stop is not None and stop.block:
        _block(space, withdrawn)
    _write_fields(space, "Withdrawn", wish_for_withdrawn(marks, withdrawn, key))
    if create is not None:
        create(space)
    for name, is_usable in emptied.items():
        if is_usable:
            _fill(space, name, *marks.groups[name])
    others = wish_for_others(marks, space.contacts, space.state, withdrawn, key, wanted.allow_clearing)
    _write_fields(space, "Others", others)


def _empty(
    space: OpenWorkspace, name: str, origin: str, uids: frozenset[str] | None, withdrawn: frozenset[str]
) -> bool:
    """Take out of a group whoever does not belong there (any more); returns whether it can be filled."""
    contacts = None if uids is None else space.contacts_of(uids)
    if contacts is not None and space.state.holds_group(name, contacts):
        return True

    def find() -> Collection[str]:
        members = space.contact_writer.members(name)
        return members & withdrawn if contacts is None else members - contacts

    return attempt(
        space,
        Target(origin, f"group {name!r}, to leave", is_leaving=True),
        find,
        lambda leaving: space.contact_writer.set_group(name, (), removed=leaving),
    )


def _fill(space: OpenWorkspace, name: str, origin: str, uids: frozenset[str] | None) -> None:
    if uids is None:
        return
    contacts = space.contacts_of(uids)
    if space.state.holds_group(name, contacts):
        return

    def write(joining: Collection[str]) -> Written:
        written = space.contact_writer.set_group(name, joining)
        if not written.refused:
            space.state.keep_group(name, contacts)
        return written

    attempt(space, Target(origin, f"group {name!r}"), lambda: contacts - space.contact_writer.members(name), write)


def known_withdrawn(space: OpenWorkspace, wanted: WriteBack) -> frozenset[str]:
    """Return the contacts that RapidPro was told of in earlier runs: they withdrew."""
    stop = wanted.withdrawn
    if stop is None:
        return frozenset()
    marks = [BLOCKED, _group_mark(stop.group or ""), field_mark(stop.field or "")]
    return frozenset(contact for mark in marks for contact in space.state.settled(mark))


def _group_mark(name: str) -> str:
    return f"group {name}"


def _fill_stop_group(space: OpenWorkspace, name: str, withdrawn: frozenset[str], allows_clearing: bool) -> None:
    if space.state.holds_group(name, withdrawn):
        return
    mark = _group_mark(name)
    ours = set(space.state.settled(mark)) if allows_clearing else set()

    def write(different: Collection[str]) -> Written:
        joining, leaving = withdrawn.intersection(different), ours.intersection(different)
        done: Callable[[Sequence[str]], None] = lambda some: space.state.settle(some, {mark: name})  # noqa: E731
        written = space.contact_writer.set_group(name, joining, done=done)
        written.add(space.contact_writer.set_group(name, (), leaving, done=lambda some: space.state.forget(some, mark)))
        if not written.refused:
            space.state.keep_group(name, withdrawn)
        return written

    def find() -> Collection[str]:
        members = space.contact_writer.members(name)
        return (withdrawn - members) | (members & ours - withdrawn)

    attempt(space, Target("Withdrawn", f"group {name!r}"), find, write)


def _block(space: OpenWorkspace, withdrawn: frozenset[str]) -> None:
    known = {} if space.is_full else space.state.settled(BLOCKED)

    def write(contacts: Collection[str]) -> Written:
        return space.contact_writer.block(contacts, done=lambda some: space.state.settle(some, {BLOCKED: "yes"}))

    attempt(space, Target("Withdrawn", "block"), lambda: withdrawn.difference(known), write)


def _write_fields(space: OpenWorkspace, origin: str, wishes: Wishes) -> None:
    pending = wishes if space.is_full else leave_out_settled(wishes, space.state)
    keys = sorted({key for wish in pending.values() for key, one in wish.items() if one.only_over in (None, "")})
    unusable = space.contact_writer.find_fields(keys) if keys else {}
    space.problems += [f"{space.where}: contact field {key!r}: {problem}" for key, problem in unusable.items()]
    pending = {contact: {k: one for k, one in wish.items() if k not in unusable} for contact, wish in pending.items()}
    pending = {contact: wish for contact, wish in pending.items() if wish}

    def write(contacts: Collection[str]) -> Written:
        values: dict[str, dict[str, str]] = {}
        for contact, details in space.contact_writer.read(contacts).items():
            had = {} if details is None else details.fields or {}
            values[contact] = {
                key: one.value
                for key, one in pending[contact].items()
                if one.only_over is None or text_of(had.get(key)) == one.only_over
            }

        def settle(some: Sequence[str]) -> None:
            for contact in some:
                space.state.settle([contact], {field_mark(k): one.value for k, one in pending[contact].items()})

        # A contact that is gone is not asked for again.
        settle([contact for contact, details in space.contact_writer.read(contacts).items() if details is None])
        return space.contact_writer.set_fields(values, done=settle)

    names = ", ".join(sorted({key for wish in pending.values() for key in wish}))
    attempt(space, Target(origin, f"fields {names}"), lambda: pending.keys(), write)


def attempt(
    space: OpenWorkspace,
    target: Target,
    find: Callable[[], Collection[str]],
    write: Callable[[Collection[str]], Written],
) -> bool:
    """Write to a target, if it needs something; returns False if the target can't be used."""
    try:
        contacts = find()
        if contacts:
            space.begin(target, contacts)
        written = write(contacts)
    except UnusableTargetError as error:
        space.problems.append(str(error))
        return False
    if contacts:
        space.written.append((target, contacts, written))
    if contacts and space.is_told:
        _report(space, target, written)
    return True


def _report(space: OpenWorkspace, target: Target, written: Written) -> None:
    verb = "would be written" if space.is_dry else "written"
    _logger.info(
        "%s: %s: %s: %s %s, %d as they should be",
        space.where,
        target.origin,
        target.name,
        count_of(written.changed, "contact"),
        verb,
        written.same,
    )
    for count, what in ((written.gone, "that RapidPro has no more"), (written.inactive, "that can't join groups")):
        if count:
            _logger.info("%s: %s: %s: %s %s", space.where, target.origin, target.name, count_of(count, "contact"), what)
    for reason, count in written.reasons.most_common(5):
        _logger.warning(
            "%s: %s: %s: refused %s: %s",
            space.where,
            target.origin,
            target.name,
            count_of(count, "contact"),
            reason,
        )
