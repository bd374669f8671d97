"""Write back to every RapidPro workspace of a project; each one, whatever became of the others."""

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from engagement.configuration import Project
from engagement.configuration.source_types import load_part
from engagement.configuration.write_back import WriteBack
from engagement.delivery.selections.people import People, read_people, refuse_newer_data
from engagement.delivery.selections.withdrawn import find_withdrawn
from engagement.delivery.write_back.journal import Journal
from engagement.delivery.write_back.marks import Marks, make_marks
from engagement.delivery.write_back.state import open_state, state_path
from engagement.delivery.write_back.workspace import OpenWorkspace, Target, write_workspace
from engagement.foundation.errors import ServiceError
from engagement.services.rapidpro.contact_writer import Written
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WriteBackRun:
    """One writing back. `is_dry`: only look; `is_full`: compare everything with RapidPro itself."""

    project: Project
    data_root: Path
    storage: Storage
    policy: RetryPolicy
    user: str
    now: datetime
    is_dry: bool = False
    is_full: bool = False


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
    """
    refuse_newer_data(run.data_root)
    people = read_people(run.project, run.data_root, run.now)
    elsewhere = people.withdrawn_elsewhere
    for note in elsewhere.notes:
        _logger.info("WithdrawnElsewhere: %s", note)
    marks = make_marks(wanted, people, find_withdrawn(run.data_root, people.contacts) | elsewhere.uids)
    outcome = WriteBackOutcome(
        len(marks.withdrawn), withdrawn_elsewhere=len(marks.withdrawn & elsewhere.uids), problems_of_data=marks.problems
    )
    journal = Journal(run.data_root, run.user, run.now, wanted.contacts)
    seen: set[str] = set()
    for source in run.project.configuration.raw_data_sources:
        if not source.takes_writes:
            continue
        try:
            part = load_part(source.source_type, "write_back")
            with part.open_workspace(source, run.storage, run.policy, run.data_root, run.is_dry) as space:
                if space.name not in seen:
                    seen.add(space.name)
                    _write_to(run, wanted, marks, people, space, journal, outcome)
        except ServiceError as error:
            outcome.problems.append(str(error))
    return outcome


def _write_to(
    run: WriteBackRun,
    wanted: WriteBack,
    marks: Marks,
    people: People,
    opened: Any,
    journal: Journal,
    outcome: WriteBackOutcome,
) -> None:
    owners = {contact: uid for uid, contacts in opened.contacts.items() for contact in contacts}
    left_out = people.test_uids
    contacts: Mapping[str, Sequence[str]] = {u: found for u, found in opened.contacts.items() if u not in left_out}

    def uids_of(some: Collection[str]) -> list[str]:
        return sorted({owners[contact] for contact in some if contact in owners})

    def begin(target: Target, some: Collection[str]) -> None:
        if not run.is_dry:
            journal.begin(opened.where, target, uids_of(some))

    with open_state(state_path(run.data_root, opened.name), run.is_dry, run.is_full) as state:
        space = OpenWorkspace(opened.where, contacts, opened.contact_writer, state, begin, run.is_dry, run.is_full)
        try:
            write_workspace(space, wanted, marks)
        finally:
            outcome.problems += space.problems
            for target, some, written in space.written:
                outcome.written.append((opened.where, target, written))
                if not run.is_dry:
                    counts = {name: getattr(written, name) for name in ("changed", "same", "gone", "refused")}
                    journal.end(opened.where, target, uids_of(some), counts)
