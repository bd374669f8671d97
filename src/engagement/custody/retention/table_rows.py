"""Remove people who wrote last long ago from the uuid table.

Nobody can turn their uid into a number any more then.

    Runs/retention/uuid_table_journal.json   the uids of whose rows go, while they are being removed

Only people whom this data root knows, and who have no message in it any more. What ties their uid to a contact of RapidPro goes first,
in State/ and Contacts/, their rows in the table last: a fetch in between finds them in the table, and they then stay. Who writes again
after that is somebody new, with another uid.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engagement.configuration import Project
from engagement.custody.retention.journals import RemovalJournal, retention_folder
from engagement.custody.retention.raw_participants import RawParticipants
from engagement.custody.retention.raw_texts import begin_of_day
from engagement.custody.retention.removal import RetentionRequest, add_receipt, has_receipt
from engagement.custody.retention.silent_people import (
    PARTICIPANT,
    SilentPeople,
    read_last_times,
    read_silent_people,
    remove_silent_people,
    write_silent_people,
)
from engagement.custody.retention.who_stays import find_staying
from engagement.delivery.write_back.made_contacts import remove_made_contacts, remove_settled
from engagement.processing.records.participant_links import load_links
from engagement.services.uuid_tables.protocol import UuidTable
from engagement.sources.contacts_directory import find_contacts_of, read_participants, remove_participants
from engagement.sources.message_cut import LineAges, MessageCut
from engagement.sources.rapidpro.state.idle_contacts import find_participants_with_runs, remove_idle_contacts
from engagement.sources.submissions.removal import find_submitting


@dataclass
class AgedPeople:
    """Whose rows go, as they wrote last before a time; `silent` is everybody without a message.

    `raw_participants` tells the next look which raw files it need not read; None if messages were about to go.
    """

    before: datetime
    people: dict[str, datetime] = field(default_factory=dict)
    silent: SilentPeople = field(default_factory=SilentPeople)
    staying: int = 0
    raw_participants: RawParticipants | None = None


def find_aged_people(
    project: Project, data_root: Path, now: datetime, coming: MessageCut | None = None
) -> AgedPeople | None:
    """Find whose rows go; None without UuidTable. Messages of the cut `coming` are still there."""
    retention = project.configuration.retention
    if retention is None or retention.uuid_table is None:
        return None
    before = begin_of_day(retention.uuid_table.before(now.astimezone(project.configuration.time_zone)))
    silent = read_silent_people(data_root)
    # Also what a fetch that failed has not written to Raw Data/ yet.
    raw_participants = None
    if coming is None:
        raw_participants = RawParticipants(data_root)
        writing = raw_participants.uids | find_participants_with_runs(data_root) | find_submitting(data_root)
    else:
        writing = set()
        for uid, time in read_last_times(data_root, LineAges(coming, project.configuration)):
            if time is None:
                writing.add(uid)
            else:
                silent.note(uid, time)
    for uid in read_participants(data_root) - writing - silent.since.keys():
        silent.since[uid] = now.astimezone(UTC)
    silent.since = {uid: time for uid, time in silent.since.items() if uid not in writing}
    links = load_links(project.configuration, project.path.parent)
    aged = {uid for uid, time in silent.since.items() if time < before}
    young = links.all_of(writing | (silent.since.keys() - aged) | silent.stays)
    staying = links.all_of(find_staying(project, data_root, links.all_of(aged))) if aged else frozenset()
    found = {uid: time for uid, time in sorted(silent.since.items()) if uid in aged - young - staying}
    return AgedPeople(before, found, silent, len(aged & (staying | silent.stays)), raw_participants)


def remove_aged_people(
    project: Project, data_root: Path, table: UuidTable, now: datetime, request: RetentionRequest
) -> Iterator[dict[str, Any]]:
    """Complete a removal that was killed, then remove whose rows go; yields their receipts.

    Messages that are over age have to be gone.
    """
    journal = _journal(data_root)
    document = journal.read()
    if document is not None:
        if not has_receipt(data_root, document):
            # Who wrote in between is known again, and stays.
            aged = find_aged_people(project, data_root, now)
            people = {} if aged is None else aged.people
            document["Uids"] = {uid: time for uid, time in document["Uids"].items() if uid in people}
            journal.write(_without_version(document))
            if document["Uids"]:
                yield _complete(data_root, table, document, request.now)
        _end(data_root, document)
    aged = find_aged_people(project, data_root, now)
    if aged is None:
        return
    write_silent_people(data_root, aged.silent)
    if aged.raw_participants is not None:
        aged.raw_participants.write()
    if not aged.people:
        return
    document = {
        "By": request.user,
        "Begun": request.now,
        "Before": aged.before.isoformat(),
        "Periods": {"UuidTable": request.periods["UuidTable"]},
        "Uids": {uid: time.isoformat() for uid, time in aged.people.items()},
    }
    journal.write(document)
    yield _complete(data_root, table, document, request.now)
    _end(data_root, document)


def _complete(data_root: Path, table: UuidTable, document: Mapping[str, Any], now: str) -> dict[str, Any]:
    uids = document["Uids"]
    # Before Contacts/ loses who they are.
    remove_settled(data_root, find_contacts_of(data_root, uids.keys()))
    remove_made_contacts(data_root, uids.keys())
    remove_idle_contacts(data_root, uids.keys())
    remove_participants(data_root, uids.keys())
    table.release(uids.keys())
    receipt = {key: value for key, value in _without_version(document).items() if key != "Uids"}
    removed = {"Kind": PARTICIPANT, "Count": len(uids), "Oldest": min(uids.values()), "Names": []}
    receipt |= {"Completed": now, "Removed": [removed], "Remains": list(_say_what_remains())}
    add_receipt(data_root, receipt)
    return receipt


def _end(data_root: Path, document: Mapping[str, Any]) -> None:
    remove_silent_people(data_root, document["Uids"].keys())
    _journal(data_root).drop()


def _without_version(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "Version"}


def _say_what_remains() -> Iterator[str]:
    yield "back-ups of the uuid table, until they are removed"
    yield "archives of the data root with the contacts in Contacts/, until they are over age"
    yield "the contacts in RapidPro: who writes again is somebody new, with another uid"


def _journal(data_root: Path) -> RemovalJournal:
    wanted = {"By": str, "Begun": str, "Before": str, "Periods": dict, "Uids": dict}
    return RemovalJournal(retention_folder(data_root) / "uuid_table_journal.json", wanted)


def say_aged_people(aged: AgedPeople) -> Iterable[str]:
    """Say how many leave the uuid table."""
    if aged.people:
        stay = f"; {aged.staying:,} stay who withdrew or are in a list" if aged.staying else ""
        yield f"{len(aged.people):,} {PARTICIPANT}(s), who wrote last before {aged.before.isoformat()}{stay}"
