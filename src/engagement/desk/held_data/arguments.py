"""Arguments that say which person of which data root is meant."""

import argparse
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from engagement.configuration import load_project
from engagement.desk.held_data.person import PersonSearch
from engagement.desk.held_data.who_is_meant import all_uids, find_holder, open_table, read_uids
from engagement.foundation.errors import UsageError
from engagement.services.coda.protocol import CodaDatabase
from engagement.services.credentials import load_credentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import open_storage
from engagement.sources.forgotten import read_forgotten
from engagement.sources.known_participants import refuse_table_without


def add_person_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the data root, and who is meant."""
    parser.add_argument("configuration", type=Path, help="pipeline configuration (JSON)")
    parser.add_argument("data_root", type=Path, metavar="data-root", help="directory that holds the pipeline's data")
    parser.add_argument("credentials", type=Path, help="credentials file (JSON)")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--uid", help="the participant, as in the column 'uid'")
    who.add_argument(
        "--phone-number-from-stdin",
        action="store_true",
        help="read their phone number, with its country's code, from the first line of standard input",
    )
    who.add_argument("--file", type=Path, metavar="FILE", help="several participants: a CSV with a column 'uid'")


def find_people(
    arguments: argparse.Namespace, coda: CodaDatabase | None = None, with_table: bool = False, keeps_ids: bool = False
) -> Iterator[PersonSearch]:
    """Yield a search for each person who is meant; one without uids for a number that nobody here has.

    `with_table`: it includes the uuid table, if a source of the project uses it.
    """
    credentials = load_credentials(arguments.credentials)
    project = load_project(arguments.configuration)
    if not arguments.data_root.is_dir():
        raise UsageError(f"{arguments.data_root}: no such directory; expected the data root. Check the path.")
    storage = open_storage(credentials, RetryPolicy())
    is_used = with_table and any(source.uses_uuid_table for source in project.configuration.raw_data_sources)
    with contextlib.ExitStack() as resources:
        table = None
        if is_used or arguments.phone_number_from_stdin:
            table = open_table(project, storage)
            resources.callback(table.close)
            refuse_table_without(table, project, arguments.data_root)
        search = PersonSearch(project, arguments.data_root, (), coda, table if is_used else None, keeps_ids)
        if table is not None and arguments.phone_number_from_stdin:
            uid, tombstone = find_holder(project, table, read_forgotten(arguments.data_root))
            yield replace(search, uids=all_uids(project, uid) if uid else (), tombstone=tombstone)
            return
        for uids in read_uids(project, arguments.uid, arguments.file):
            yield replace(search, uids=uids)
