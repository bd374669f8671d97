"""People without a message: since when they have none, until their rows leave the uuid table.

    Runs/retention/silent_people.json   uids, each with the time of the last message, or since when none is known; uids that stay

It is kept where `UuidTable` asks for it. Messages that are removed for their age leave nothing behind that would say when their people
wrote last, so their times are noted just before. A contact in Contacts/ who has no message, from another show or earlier than any note,
counts from the night on which that was first seen.

Those stay for good who withdrew by stage 3's last run: with another uid they would be somebody who never said STOP.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.custody.retention.journals import retention_folder
from engagement.custody.retention.texts import raw_files
from engagement.delivery.selections.withdrawn import find_withdrawn
from engagement.foundation.errors import InputError
from engagement.foundation.files import make_directory, read_json, write_json
from engagement.processing.reuse.note_files import NOTES, notes_folder
from engagement.provenance import read_traced_data
from engagement.sources.message_cut import LineAges

PARTICIPANT = "uuid table participant"
_VERSION = 1


@dataclass
class SilentPeople:
    """Who has no message: the time of each one's last, and uids whose rows never leave the table."""

    since: dict[str, datetime] = field(default_factory=dict)
    stays: set[str] = field(default_factory=set)

    def note(self, uid: str, time: datetime) -> None:
        """Note a message that goes; the last one counts."""
        self.since[uid] = max(time, self.since.get(uid, time))


def silent_people_path(data_root: Path) -> Path:
    """Name the file in a data root; it need not exist."""
    return retention_folder(data_root) / "silent_people.json"


def read_silent_people(data_root: Path) -> SilentPeople:
    """Read who is noted; nobody without the file.

    Raises
    ------
    InputError
        The file is damaged.
    """
    path = silent_people_path(data_root)
    if not path.exists():
        return SilentPeople()
    try:
        document = read_json(path)
        since = {str(uid): datetime.fromisoformat(time) for uid, time in document["Since"].items()}
        stays = document["Stays"]
        if document["Version"] != _VERSION or any(time.tzinfo is None for time in since.values()):
            raise ValueError
        if not isinstance(stays, list) or not all(isinstance(uid, str) for uid in stays):
            raise TypeError
        return SilentPeople(since, set(stays))
    except (InputError, AttributeError, KeyError, TypeError, ValueError):
        raise InputError(
            f"{path}: can't be read; expected since when people have no message. Restore the file from the newest archive of the data "
            "root: it also says who withdrew and stays in the uuid table."
        ) from None


def write_silent_people(data_root: Path, people: SilentPeople) -> None:
    """Write who is noted, unless that is in the file already."""
    path = silent_people_path(data_root)
    if people == read_silent_people(data_root):
        return
    make_directory(path.parent)
    since = {uid: time.astimezone(UTC).isoformat() for uid, time in people.since.items()}
    # A line for each person, as there may be many.
    write_json(path, {"Version": _VERSION, "Since": since, "Stays": sorted(people.stays)}, indent=0)


def remove_silent_people(data_root: Path, uids: Collection[str]) -> None:
    """Remove people from the note: nothing of them is left."""
    people = read_silent_people(data_root)
    people.since = {uid: time for uid, time in people.since.items() if uid not in uids}
    people.stays -= set(uids)
    write_silent_people(data_root, people)


def note_messages_that_go(data_root: Path, ages: LineAges) -> None:
    """Note whose messages are about to go, and who withdrew. May be killed and repeated."""
    people = read_silent_people(data_root)
    for uid, time in read_last_times(data_root, ages):
        if time is not None:
            people.note(uid, time)
    people.stays |= find_withdrawn_people(data_root, people.since)
    write_silent_people(data_root, people)


def read_last_times(data_root: Path, ages: LineAges) -> Iterator[tuple[str, datetime | None]]:
    """Read whose each line is, with its last time if a cut removes it; None if it stays."""
    for path in raw_files(data_root):
        for record in read_traced_data(path):
            values = record.values
            time = None
            if ages.removes(values):
                time = max(one for one in ages.times_of(values) if one is not None)
            yield str(values.get(PARTICIPANT_KEY)), time


def find_withdrawn_people(data_root: Path, uids: Collection[str]) -> frozenset[str]:
    """Find who of these withdrew by stage 3's last run; nobody where it left no notes."""
    # Messages that go take the notes along. Who said STOP has that message left then, and is noted here.
    return find_withdrawn(data_root, uids) if (notes_folder(data_root) / NOTES).exists() else frozenset()
