"""Forget a participant: remove what a data root holds of them, and fetch nothing of them again.

With --dry-run it only counts what is held, by place. Otherwise it removes it, and leaves a receipt in <data-root>/Forgotten/, which names
neither number nor uid. Outputs are made without them by the next run. It may be interrupted, and repeated with the same arguments.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from engagement.desk.held_data.archives import check_backups, hold_backups, is_in_archives
from engagement.desk.held_data.arguments import add_person_arguments, find_people
from engagement.desk.held_data.forgetting import (
    ForgettingRequest,
    FoundCount,
    complete,
    count_held,
    forget,
    is_begun,
    receipt_of,
)
from engagement.desk.held_data.person import PersonSearch
from engagement.foundation.errors import InputError, UsageError
from engagement.foundation.working_lock import hold_data_root
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import load_credentials
from engagement.sources.forgotten import read_forgotten

_NOTHING = "Nothing is held of this participant.\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    add_person_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="count what is held, and remove nothing")
    parser.add_argument(
        "--until",
        metavar="TIME",
        help="take what they send from this time on (ISO 8601 with an offset); without it, nothing for good",
    )
    parser.add_argument(
        "--coda-credentials", type=Path, metavar="FILE", help="credentials of Coda (JSON), if they are others"
    )
    parser.add_argument(
        "--keep-uuid-table-row",
        action="store_true",
        help="leave their number in the uuid table: for all projects that share the table but the last one",
    )
    parser.add_argument(
        "--backups-dir",
        type=Path,
        metavar="FOLDER",
        help="remove them from the plain archives in this folder too, and list the encrypted ones",
    )
    parser.add_argument("--user", help="who forgets them, for the receipt; by default this user")


def run(arguments: argparse.Namespace) -> None:
    """Count what is held of each person, and remove it."""
    until = _read_until(arguments.until)
    if arguments.backups_dir is not None:
        check_backups(arguments.backups_dir)
    user, now = arguments.user or _name_user(), datetime.now(UTC).isoformat(timespec="seconds")
    request = ForgettingRequest(user, now, until, arguments.backups_dir)
    coda = open_coda(load_credentials(arguments.coda_credentials or arguments.credentials))
    people = list(find_people(arguments, coda, with_table=True, keeps_ids=arguments.keep_uuid_table_row))
    with hold_data_root(arguments.data_root), hold_backups(arguments.backups_dir):
        for number, search in enumerate(people, 1):
            if len(people) > 1:
                sys.stdout.write(f"Participant {number} of {len(people)}\n")
            _forget_one(search, request, arguments.dry_run)


def _forget_one(search: PersonSearch, request: ForgettingRequest, is_dry: bool) -> None:
    forgotten = read_forgotten(search.data_root)
    person = next(filter(None, map(forgotten.find, search.uids)), search.tombstone)
    if person is not None and not search.uids and not is_dry:
        # Killed after all was removed, or asked again.
        complete(search.data_root, person)
    counts = count_held(search) if search.uids else []
    if person is None and not counts:
        if request.backups is None or not search.uids or not is_in_archives(search, request.backups):
            sys.stdout.write(_NOTHING)
            return
        sys.stdout.write("Nothing is held of this participant in the data root, but an archive has them.\n")
    is_done = person is not None and not is_begun(search.data_root, person)
    is_same_time = person is not None and person.until == request.until
    is_nothing_new = is_done and is_same_time and all(one.stays for one in counts)
    if person is not None and is_nothing_new and request.backups is None:
        sys.stdout.write(f"Forgotten already. Receipt: {receipt_of(search.data_root, person)}\n")
        sys.stdout.writelines(_say(counts))
        return
    if person is not None and not is_done:
        sys.stdout.write("An earlier run was interrupted.\n")
    sys.stdout.writelines(_say(counts))
    if is_dry:
        sys.stdout.write("Nothing was removed: --dry-run.\n")
        return
    done = forget(search, forgotten, request)
    # Archives were searched again all the same: there may be others than the last time.
    sys.stdout.write(f"Forgotten{' already' if is_nothing_new else ''}. Receipt: {done.receipt}\n")
    sys.stdout.writelines(f"Still names them: {name}\n" for name in done.left)
    for archive in done.archives:
        told = (
            f"stays until {archive.until}"
            if archive.until
            else f"rewritten: {archive.removed:,} items or files removed"
        )
        sys.stdout.write(f"Archive {archive.name}: {told}\n")
    sys.stdout.write(
        "Run the pipeline from stage 3: until then Outputs/ holds them. The receipt lists what remains elsewhere.\n"
    )
    problems = [archive.problem for archive in done.archives if archive.problem]
    if problems:
        raise InputError("\n".join(problems))


def _say(counts: Iterable[FoundCount]) -> Iterator[str]:
    for one in counts:
        yield f"{one.count:>9,}  {one.place}: {one.kind}{f' (stays: {one.stays})' if one.stays else ''}\n"


def _read_until(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise UsageError(
            f"--until {text!r}: not a time; expected ISO 8601 with an offset, like 2027-01-01T00:00+03:00. Change it."
        )
    return time.isoformat()


def _name_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # In a container the user has a number alone.
        return f"user {os.getuid()}"
