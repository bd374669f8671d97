"""Write back to every RapidPro workspace of a project; each one, whatever became of the others."""

import contextlib
import functools
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from engagement.configuration import Project
from engagement.configuration.source_types import load_part
from engagement.configuration.write_back import WriteBack
from engagement.delivery.selections.numbers import ask_uuid_table
from engagement.delivery.selections.people import People, read_people, refuse_newer_data
from engagement.delivery.selections.withdrawn import find_withdrawn
from engagement.delivery.write_back.journal import Journal
from engagement.delivery.write_back.limits import refuse_many_changes, refuse_many_withdrawals
from engagement.delivery.write_back.marks import Marks, make_marks
from engagement.delivery.write_back.missing import MADE, create_contacts, made_contacts, tell_missing
from engagement.delivery.write_back.state import open_state, state_path
from engagement.delivery.write_back.workspace import OpenWorkspace, Target
from engagement.delivery.write_back.writing import write_workspace
from engagement.foundation.errors import ServiceError
from engagement.services.rapidpro.written import Written
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WriteBackRun:
    """One writing back. `is_dry`: only look; `is_full`: compare everything with RapidPro itself.

    `accepts_many`: whatever would change is meant.
    """

    project: Project
    data_root: Path
    storage: Storage
    policy: RetryPolicy
    user: str
    now: datetime
    is_dry: bool = False
    is_full: bool = False
    accepts_many: bool = False


@dataclass
class WriteBackOutcome:
    """What was written, or would be; `problems` keep some of it for the next run.

    `problems_of_data` are those of selections that could not be made.
    """

    withdrawn: int
    withdrawn_elsewhere: int = 0
    written: list[tuple[str, Target, Written]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    problems_of_data: Sequence[str] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Counts of contacts for the run's summary: one may be in several, such as a group and a field."""
        totals: Counter[str] = Counter(withdrawn_participants=self.withdrawn)
        if self.withdrawn_elsewhere:
            totals["withdrawn_elsewhere"] = self.withdrawn_elsewhere
        for _, target, written in self.written:
            totals["contacts_left" if target.is_leaving else "contacts_written"] += written.changed
            totals["contacts_gone"] += written.gone
            totals["contacts_refused"] += written.refused
        return dict(totals)


def write_back(run: WriteBackRun, wanted: WriteBack) -> WriteBackOutcome:
    """Write the marks of the last outputs to all workspaces.

    Raises
    ------
    InputError
        The outputs are missing, or older than what was fetched.
    LimitError
        More contacts would change than can be meant; nothing was sent.
    """
    refuse_newer_data(run.data_root)
    people = read_people(run.project, run.data_root, run.now)
    elsewhere = people.withdrawn_elsewhere
    for note in elsewhere.notes:
        _logger.info("WithdrawnElsewhere: %s", note)
    withdrawn = people.links.all_of(find_withdrawn(run.data_root, people.links.all_of(people.contacts)))
    marks = make_marks(wanted, people, withdrawn | elsewhere.uids)
    outcome = WriteBackOutcome(
        people.links.count_people(marks.withdrawn),
        withdrawn_elsewhere=people.links.count_people(marks.withdrawn & elsewhere.uids),
        problems_of_data=marks.problems,
    )
    with contextlib.ExitStack() as stack:
        writings = _open_all(run, wanted, marks, people, outcome, stack)
        if writings:
            _plan_missing(run, wanted, people, writings)
        if not run.accepts_many:
            for writing in writings:
                refuse_many_withdrawals(writing.space, wanted, writing.marks)
            if wanted.at_most is not None and not run.is_dry:
                refuse_many_changes(_rehearse(writings), wanted.at_most)
        for writing in writings:
            try:
                writing.write(run, outcome)
            except ServiceError as error:
                outcome.problems.append(str(error))
    return outcome


@dataclass
class _Writing:
    """What is written to one workspace. `owners` are participants by contact, testers included."""

    wanted: WriteBack
    space: OpenWorkspace
    marks: Marks
    owners: Mapping[str, str]
    journal: Journal
    create: Callable[[OpenWorkspace], None] | None = None

    def write(self, run: WriteBackRun, outcome: WriteBackOutcome) -> None:
        """Write, and note what was written, whatever happens."""
        try:
            write_workspace(self.space, self.wanted, self.marks, self.create)
        finally:
            outcome.problems += self.space.problems
            for target, some, written in self.space.written:
                outcome.written.append((self.space.where, target, written))
                if not run.is_dry:
                    counts = {name: getattr(written, name) for name in ("changed", "same", "gone", "refused")}
                    self.journal.end(self.space.where, target, self.uids_of(target, some), counts)

    def begin(self, target: Target, some: Collection[str]) -> None:
        """Note what is about to be written."""
        if not self.space.is_dry:
            self.journal.begin(self.space.where, target, self.uids_of(target, some))

    def uids_of(self, target: Target, some: Collection[str]) -> list[str]:
        """Return the participants of what is written to a target."""
        if target.is_new:
            return sorted(some)
        new = {contact: uid for uid, contacts in self.space.contacts.items() for contact in contacts}
        found = (self.owners.get(contact) or new.get(contact) for contact in some)
        return sorted({uid for uid in found if uid is not None})


def _open_all(
    run: WriteBackRun,
    wanted: WriteBack,
    marks: Marks,
    people: People,
    outcome: WriteBackOutcome,
    stack: contextlib.ExitStack,
) -> list[_Writing]:
    """Open every workspace once; one that can't be is a problem, and the others are written."""
    found: dict[str, _Writing] = {}
    for source in run.project.configuration.raw_data_sources:
        if not source.takes_writes:
            continue
        try:
            part = load_part(source.source_type, "write_back")
            opened = stack.enter_context(
                part.open_workspace(source, run.storage, run.policy, run.data_root, run.is_dry)
            )
            if opened.name not in found:
                found[opened.name] = _open(run, wanted, marks, people, opened, stack)
        except ServiceError as error:
            outcome.problems.append(str(error))
    return list(found.values())


def _open(
    run: WriteBackRun, wanted: WriteBack, marks: Marks, people: People, opened: Any, stack: contextlib.ExitStack
) -> _Writing:
    state = stack.enter_context(open_state(state_path(run.data_root, opened.name), run.is_dry, run.is_full))
    made = state.settled(MADE)
    everybody = people.links.share(made_contacts(opened.contacts, made))
    contacts = {uid: found for uid, found in everybody.items() if uid not in people.test_uids}
    # Contacts/ may not know yet who was made a contact here, and withdrew.
    withdrawn = people.links.all_of(find_withdrawn(run.data_root, people.links.all_of(made.values())))
    marks = replace(marks, withdrawn=marks.withdrawn | (withdrawn - people.test_uids))
    owners = {contact: people.links.first(uid) for uid, some in everybody.items() for contact in some}
    journal = Journal(run.data_root, run.user, run.now, wanted.contacts)
    space = OpenWorkspace(
        opened.where, contacts, opened.contact_writer, state, lambda target, some: None, run.is_dry, run.is_full
    )
    writing = _Writing(wanted, space, marks, owners, journal)
    space.begin = writing.begin
    space.contact_writer.targets.memory = state
    return writing


def _plan_missing(run: WriteBackRun, wanted: WriteBack, people: People, writings: Sequence[_Writing]) -> None:
    """Have the first workspace make contacts of participants whom none knows, or count them."""
    selected: set[str] = set()
    for origin, uids in (*writings[0].marks.groups.values(), *writings[0].marks.flags.values()):
        if origin in wanted.contacts and uids is not None:
            selected |= uids
    known = {uid for writing in writings for uid in writing.space.contacts}
    missing = sorted(selected - known - people.contacts.keys())
    if not wanted.create:
        tell_missing(len(missing))
    elif missing:
        find = functools.cache(lambda: ask_uuid_table(people, missing, run.storage, run.policy))
        writings[0].create = lambda space: create_contacts(space, missing, find)


def _rehearse(writings: Sequence[_Writing]) -> list[OpenWorkspace]:
    rehearsed = []
    for writing in writings:
        with writing.space.rehearse() as space:
            rehearsed.append(space)
            # What is refused now is refused again, and told then.
            with contextlib.suppress(ServiceError):
                write_workspace(space, writing.wanted, writing.marks, writing.create)
    return rehearsed
