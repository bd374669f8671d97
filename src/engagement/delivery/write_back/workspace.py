"""A workspace while it is written to, and each attempt to write to one of its targets."""

import contextlib
import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace

from engagement.delivery.write_back.state import WriteBackState
from engagement.foundation.errors import count_of
from engagement.services.rapidpro.contact_writer import ContactWriter
from engagement.services.rapidpro.targets import UnusableTargetError
from engagement.services.rapidpro.written import Written

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
