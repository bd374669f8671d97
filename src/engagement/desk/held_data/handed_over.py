"""A person in Hand-overs/: the lists of who was handed over."""

import json
from collections.abc import Iterator
from pathlib import Path

from engagement.delivery.selections.hand_overs import digest_uids, hand_overs_folder
from engagement.desk.held_data.person import PersonSearch
from engagement.desk.held_data.place import HeldItem
from engagement.foundation.files import open_bytes_for_writing, open_for_writing

COUNTS_STAY = "it says how many people were handed over, when and to whom; its list no longer has them"


def find_hand_overs(search: PersonSearch) -> Iterator[HeldItem]:
    """Find the hand-overs that they are in: when, by whom, and to what."""
    folder = hand_overs_folder(search.data_root)
    lists = {digest_uids(uids): path for path, uids in _lists_of(search)}
    for record in _records(folder):
        for line in record.read_bytes().split(b"\n")[:-1]:
            document = json.loads(line)
            if document.get("digest") in lists:
                yield HeldItem(search.name_of(record), "hand-over", document, COUNTS_STAY)
    for path in lists.values():
        yield HeldItem(search.name_of(path), "list of participants", {})


def remove_hand_overs(search: PersonSearch) -> None:
    """Take them off the lists, which then have other digests.

    Lines keep their counts: these say what was handed over.
    """
    folder = hand_overs_folder(search.data_root)
    digests: dict[str, str] = {}
    old = []
    for path, uids in _lists_of(search):
        left = sorted(set(uids) - set(search.uids))
        digests[digest_uids(uids)] = digest_uids(left)
        with open_for_writing(path.with_name(f"{digest_uids(left)}.txt")) as file:
            file.writelines(f"{uid}\n" for uid in left)
        old.append(path)
    # A record always names lists that are there: the old ones go last.
    for record in _records(folder) if digests else ():
        content = record.read_bytes()
        for before, after in digests.items():
            content = content.replace(before.encode(), after.encode())
        with open_bytes_for_writing(record) as file:
            file.write(content)
    for path in old:
        path.unlink()


def _lists_of(search: PersonSearch) -> list[tuple[Path, list[str]]]:
    found = []
    for path in sorted((hand_overs_folder(search.data_root) / "uids").glob("*.txt")):
        uids = path.read_text(encoding="utf-8").split("\n")[:-1]
        if set(uids) & set(search.uids):
            found.append((path, uids))
    return found


def _records(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))
