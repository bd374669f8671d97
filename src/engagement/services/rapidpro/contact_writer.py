"""Bring contacts of a workspace to what is wanted: read first, then send only differences.

One bad contact is counted, and the rest goes on. Whatever was sent before a failure is found again by the next reading, so
nothing is sent twice.
"""

import contextlib
import functools
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import batched

from engagement.foundation.errors import count_of
from engagement.services.rapidpro.paging import read_oldest_first
from engagement.services.rapidpro.rows import ContactDetails, ContactGroup, NamedReference
from engagement.services.rapidpro.targets import Targets, UnusableTargetError
from engagement.services.rapidpro.writing import CONTACTS_AN_ACTION, RapidProWriter, Refusal
from engagement.services.rapidpro.written import Written

_ROWS_A_PAGE = 250
_FEWEST_TO_LIST = 10
_MOST_REFUSED_IN_A_ROW = 25
_REQUESTS_A_LOG_LINE = 500

_logger = logging.getLogger(__name__)


Done = Callable[[Sequence[str]], None]


def _nothing(contacts: Sequence[str]) -> None:
    pass


class ContactWriter:
    """Writes to the contacts of one workspace, all named by uuid.

    `size` is about how many contacts the workspace has: reading many of them page by page takes fewer requests. With
    `is_dry` nothing is sent, and `changed` counts what would be. Methods tell `done` of contacts that have what is wanted, as
    soon as they do.
    """

    def __init__(self, client: RapidProWriter, size: int = 0, is_dry: bool = False):
        self._client = client
        self._size = size
        self._is_dry = is_dry
        self._known: dict[str, ContactDetails | None] = {}
        self.targets = Targets(client, is_dry)
        self._listed: set[str] = set()
        self._sent = 0
        # Contacts that a dry writer would have changed.
        self.would_change: set[str] = set()

    @contextlib.contextmanager
    def rehearse(self) -> Iterator[None]:
        """Within it nothing is sent, and `would_change` collects; what was read is kept for afterwards."""
        was_dry = self._is_dry
        self._is_dry = self.targets.is_dry = True
        try:
            yield
        finally:
            self._is_dry = self.targets.is_dry = was_dry

    def create(self, urns: Mapping[str, str], done: Callable[[str, str], None]) -> Written:
        """Find or make the contact of each URN, by participant; `done` is told both.

        Raises
        ------
        UnusableTargetError
            RapidPro refused one URN after another.
        """
        written = Written()
        in_a_row = 0
        for uid, urn in urns.items():
            self._log_progress()
            if self._is_dry:
                written.changed += 1
                self.would_change.add(uid)
                continue
            made = self._client.find_or_create(urn)
            if isinstance(made, Refusal):
                written.refuse(made)
                in_a_row += 1
                self._stop_if_refused(in_a_row, made)
                continue
            in_a_row = 0
            written.changed += 1
            self._known[made.uuid] = _slim(made)
            done(uid, made.uuid)
        return written

    def read(self, contacts: Collection[str]) -> dict[str, ContactDetails | None]:
        """Read contacts' groups, fields and status, each once; None for those that RapidPro does not have."""
        missing = {contact for contact in contacts if contact not in self._known}
        if len(missing) > max(_FEWEST_TO_LIST, self._size / _ROWS_A_PAGE):
            where = f"RapidPro {self._client.domain}: contacts"
            self._known.update(dict.fromkeys(missing))
            for page, _ in read_oldest_first(where, self._client.all_contact_details, None):
                self._known.update((row.uuid, _slim(row)) for row in page.rows if row.uuid in missing)
        else:
            for contact in sorted(missing):
                row = self._client.contact_details(contact)
                self._known[contact] = None if row is None else _slim(row)
        return {contact: self._known[contact] for contact in contacts}

    def find_group(self, name: str) -> ContactGroup | None:
        """Find a group to write to; None if there is none (yet).

        Raises
        ------
        UnusableTargetError
            It is a smart group, or one of several of that name.
        """
        return self.targets.find_group(name, is_needed=False)

    def members(self, group: ContactGroup | None) -> set[str]:
        """Read who is in a group; nobody if there is no such group."""
        if group is None:
            return set()
        if group.uuid not in self._listed:
            where = f"RapidPro {self._client.domain}: contacts of group {group.name!r}"
            for page, _ in read_oldest_first(where, functools.partial(self._client.members, group.uuid), None):
                self._known.update((row.uuid, _slim(row)) for row in page.rows)
            self._listed.add(group.uuid)
        return {uuid for uuid, details in self._known.items() if details is not None and _is_member(details, group)}

    def set_group(self, name: str, contacts: Collection[str], done: Done = _nothing) -> Written:
        """Put contacts into a group, which is made if it is missing.

        Raises
        ------
        UnusableTargetError
            It is a smart group, one of several of that name, or can't be made.
        """
        written = Written()
        if contacts:
            group = self.targets.find_group(name, is_needed=True)
            self._bring(group, contacts, True, written, done)
        return written

    def leave_group(self, group: ContactGroup | None, contacts: Collection[str], done: Done = _nothing) -> Written:
        """Take contacts out of a group."""
        written = Written()
        if contacts:
            self._bring(group, contacts, False, written, done)
        return written

    def _bring(
        self, group: ContactGroup | None, wanted: Collection[str], is_adding: bool, written: Written, done: Done
    ) -> None:
        different, settled = [], []
        for contact, details in self.read(wanted).items():
            if details is None:
                written.gone += 1
            elif _is_member(details, group) == is_adding:
                written.same += 1
                settled.append(contact)
            elif is_adding and not details.is_active:
                written.inactive += 1
            else:
                different.append(contact)
        done(settled)
        self._change_group(group, sorted(different), is_adding, written, done)

    def set_fields(self, values: Mapping[str, Mapping[str, str]], done: Done = _nothing) -> Written:
        """Set fields, by contact and key; the fields must be there: see `find_fields`.

        Raises
        ------
        UnusableTargetError
            RapidPro refused one contact after another.
        """
        written = Written()
        in_a_row = 0
        current = self.read(values)
        for contact in sorted(values):
            details = current[contact]
            if details is None:
                written.gone += 1
                continue
            had = details.fields or {}
            different = {key: value for key, value in values[contact].items() if text_of(had.get(key)) != value}
            refusal = self._send_fields(contact, different) if different else None
            if refusal is not None:
                written.refuse(refusal)
                in_a_row += 1
                self._stop_if_refused(in_a_row, refusal)
                continue
            if different:
                in_a_row = 0
                written.changed += 1
                if self._is_dry:
                    self.would_change.add(contact)
                else:
                    details.fields = {**had, **different}
            else:
                written.same += 1
            done([contact])
        return written

    def block(self, contacts: Collection[str], done: Done = _nothing) -> Written:
        """Block contacts: they get no more messages, and leave all groups."""
        written = Written()
        current = self.read(contacts)
        written.gone = sum(details is None for details in current.values())
        settled = [contact for contact, details in current.items() if details is not None and details.is_blocked]
        written.same = len(settled)
        done(settled)
        different = [contact for contact, details in current.items() if details is not None and not details.is_blocked]
        for batch in batched(sorted(different), CONTACTS_AN_ACTION):
            for contact in self._send(batch, self._client.block, written, "block"):
                details = current[contact]
                if details is not None and not self._is_dry:
                    details.blocked, details.groups = True, []
                done([contact])
        return written

    def find_fields(self, keys: Iterable[str]) -> dict[str, str]:
        """Make the fields that are missing; returns why some keys can't be used, by key."""
        return self.targets.find_fields(keys)

    def _change_group(
        self, group: ContactGroup | None, contacts: Sequence[str], is_adding: bool, written: Written, done: Done
    ) -> None:
        for batch in batched(contacts, CONTACTS_AN_ACTION):

            def send(some: Sequence[str]) -> Refusal | None:
                return self._client.change_group(some, group.uuid, is_adding) if group is not None else None

            changed = list(self._send(batch, send, written, f"group {group.name!r}" if group is not None else "group"))
            for contact in changed:
                details = self._known[contact]
                if details is not None and group is not None and not self._is_dry:
                    others = [other for other in details.groups if other.uuid != group.uuid]
                    details.groups = [*others, NamedReference(group.uuid, group.name)] if is_adding else others
            done(changed)

    def _send(
        self, batch: Sequence[str], send: Callable[[Sequence[str]], Refusal | None], written: Written, what: str
    ) -> Iterator[str]:
        """Send a batch; if it is refused, its halves, until the refused contacts are found. Gives the others."""
        waiting = [batch]
        sent = False
        while waiting:
            some = waiting.pop()
            self._log_progress()
            refusal = None if self._is_dry else send(some)
            if refusal is None:
                sent = True
                written.changed += len(some)
                if self._is_dry:
                    self.would_change.update(some)
                yield from some
            elif len(some) > 1:
                waiting += [some[len(some) // 2 :], some[: len(some) // 2]]
            else:
                written.refuse(refusal)
        if not sent and len(batch) > _MOST_REFUSED_IN_A_ROW:
            raise UnusableTargetError(
                f"RapidPro {self._client.domain}: {what}: refused all {len(batch)} contacts; expected few. See to that, and run "
                "this again: it goes on from there."
            )

    def _send_fields(self, contact: str, values: dict[str, str]) -> Refusal | None:
        self._log_progress()
        return None if self._is_dry else self._client.write_fields(contact, values)

    def _stop_if_refused(self, in_a_row: int, refusal: Refusal) -> None:
        if in_a_row == _MOST_REFUSED_IN_A_ROW:
            raise UnusableTargetError(
                f"RapidPro {self._client.domain}: refused {in_a_row} contacts in a row: {refusal.reason}; expected few. "
                "See to that, and run this again: it goes on from there."
            )

    def _log_progress(self) -> None:
        self._sent += 1
        if self._sent % _REQUESTS_A_LOG_LINE == 0 and not self._is_dry:
            _logger.info("RapidPro %s: sent %s so far", self._client.domain, count_of(self._sent, "change"))


def text_of(value: str | float | None) -> str:
    """Return a field's value as text; empty if it has none."""
    return "" if value is None else str(value)


def _is_member(details: ContactDetails, group: ContactGroup | None) -> bool:
    return group is not None and any(one.uuid == group.uuid for one in details.groups)


def _slim(row: ContactDetails) -> ContactDetails:
    row.fields = {key: value for key, value in (row.fields or {}).items() if value not in (None, "")}
    return row
