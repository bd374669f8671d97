"""Forget one person: tombstone, journal, every place in turn, receipt.

May be killed at any moment and repeated.

    Forgotten/journal-<name>.json    what there was, while it is being removed
    Forgotten/receipts/<name>.json   what was found and removed, and what remains where; the same as a page (.html)

<name> is the beginning of the tombstone's first hash. No uid, number or text is in either.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from engagement.desk.held_data.archives import ArchiveOutcome, forget_in_archives
from engagement.desk.held_data.copies import find_left, list_copies
from engagement.desk.held_data.person import PersonSearch
from engagement.desk.held_data.table import PLACES
from engagement.desk.held_data.table_ids import remove_ids
from engagement.foundation.files import explain_os_errors, make_directory, open_for_writing, read_json, write_json
from engagement.foundation.pages import render_page
from engagement.sources.forgotten import ForgottenPeople, Tombstone, forgotten_folder

_NAME_LENGTH = 16
_VERSION = 1


@dataclass(frozen=True)
class FoundCount:
    """How much of one kind a place holds; `stays` says why it is not removed, if it is not."""

    place: str
    kind: str
    stays: str
    count: int


@dataclass(frozen=True)
class ForgettingRequest:
    """Who asked when, and until when new messages are left out (None: for good).

    `backups` is the folder of archives to remove them from, if any.
    """

    user: str
    now: str
    until: str | None
    backups: Path | None = None


class Forgotten(NamedTuple):
    """The receipt, files that still name the person, and archives that had or may have them."""

    receipt: Path
    left: list[str]
    archives: list[ArchiveOutcome]


def count_held(search: PersonSearch) -> list[FoundCount]:
    """Count what is held of a person, by place and kind."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for place in PLACES:
        counts.update((place.name, item.kind, item.stays) for item in place.find(search))
    return [FoundCount(*found, count) for found, count in counts.items()]


def is_begun(data_root: Path, person: Tombstone) -> bool:
    """Check if a person's forgetting was begun and not completed."""
    return _journal(data_root, person).exists()


def receipt_of(data_root: Path, person: Tombstone) -> Path:
    """Name a person's receipt."""
    return forgotten_folder(data_root) / "receipts" / f"{_short(person)}.json"


def forget(search: PersonSearch, forgotten: ForgottenPeople, request: ForgettingRequest) -> Forgotten:
    """Forget a person."""
    contacts = search.contacts
    counts = count_held(search)
    person = forgotten.add([*search.uids, *contacts], request.now, request.until, *_mark(search))
    journal = _journal(search.data_root, person)
    if journal.exists():
        document: dict[str, Any] = read_json(journal)
    else:
        document = {"Version": _VERSION, "By": request.user, "Begun": request.now, "Found": _describe(counts)}
        earlier = receipt_of(search.data_root, person)
        if earlier.exists():
            # Asked again, perhaps with another time: what was removed then is still told.
            document["Found"] = [*read_json(earlier)["Found"], *document["Found"]]
        write_json(journal, document)
    archives, rewritten = [], document.setdefault("Rewritten", {})

    def note(archive: str, removed: int) -> None:
        # What it had before a kill is not found again.
        rewritten[archive] = removed
        write_json(journal, document)

    if request.backups is not None:
        # Before the data root loses its contacts.
        now = datetime.fromisoformat(request.now)
        archives = list(forget_in_archives(search, request.backups, now, forgotten, person, note))
    for place in PLACES:
        if place.remove is not None:
            place.remove(search)
    left = find_left(search, contacts)
    document |= {"Completed": request.now, "Until": request.until}
    receipt = _write_receipt(search, person, document, left, archives if request.backups is not None else None)
    remove_ids(search)
    complete(search.data_root, person)
    return Forgotten(receipt, left, archives)


def _mark(search: PersonSearch) -> tuple[Sequence[str], str | None]:
    """Mark their ids in the uuid table; return the marks, and the name of their key."""
    if search.tombstone is not None and not search.uids:
        return search.tombstone.marks, search.tombstone.marks_key
    marks = search.table.marks_of(search.uids) if search.table is not None else []
    return marks, search.table.marks_key if search.table is not None and marks else None


def complete(data_root: Path, person: Tombstone) -> None:
    """Note that nothing is left to do: the last of it was to remove their ids from the uuid table."""
    journal = _journal(data_root, person)
    with explain_os_errors(journal):
        journal.unlink(missing_ok=True)


def _describe(counts: Iterable[FoundCount]) -> list[dict[str, Any]]:
    return [
        {"Place": one.place, "Kind": one.kind, "Count": one.count, "Removed": not one.stays, "Why": one.stays}
        for one in counts
    ]


def _write_receipt(
    search: PersonSearch,
    person: Tombstone,
    document: Mapping[str, Any],
    left: list[str],
    archives: list[ArchiveOutcome] | None,
) -> Path:
    path = receipt_of(search.data_root, person)
    make_directory(path.parent)
    copies = [
        {"Where": copy.where, "Until": copy.until}
        for copy in list_copies(search.project, search.keeps_ids, archives is None)
    ]
    named = [{"Where": name, "Until": "somebody takes the uid out"} for name in left]
    kept = [{"Where": f"archive {one.name}", "Until": one.until} for one in archives or () if one.until]
    rewritten = [
        {"Place": f"archive {name}", "Kind": "item or file", "Count": count, "Removed": True, "Why": ""}
        for name, count in sorted(document["Rewritten"].items())
    ]
    receipt = {
        **{key: value for key, value in document.items() if key != "Rewritten"},
        "Found": [*document["Found"], *rewritten],
        "Person": person.name,
        "Remains": [*copies, *kept, *named],
    }
    page = render_page(Path(__file__).with_name("receipt.html.jinja"), receipt=receipt)
    with open_for_writing(path.with_suffix(".html")) as file:
        file.write(page)
    write_json(path, receipt)
    return path


def _journal(data_root: Path, person: Tombstone) -> Path:
    return forgotten_folder(data_root) / f"journal-{_short(person)}.json"


def _short(person: Tombstone) -> str:
    return person.name[:_NAME_LENGTH]
