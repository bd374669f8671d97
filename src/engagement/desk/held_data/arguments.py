"""Arguments that say which person of which data root is meant."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from engagement.configuration import load_project
from engagement.desk.held_data.person import PersonSearch, read_uids
from engagement.foundation.errors import UsageError
from engagement.services.coda.protocol import CodaDatabase
from engagement.services.credentials import load_credentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import open_storage


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


def find_people(arguments: argparse.Namespace, coda: CodaDatabase | None = None) -> Iterator[PersonSearch]:
    """Yield a search for each person who is meant; none for a number that nobody here has."""
    credentials = load_credentials(arguments.credentials)
    project = load_project(arguments.configuration)
    if not arguments.data_root.is_dir():
        raise UsageError(f"{arguments.data_root}: no such directory; expected the data root. Check the path.")
    storage = open_storage(credentials, RetryPolicy())
    for uids in read_uids(project, storage, arguments.uid, arguments.file, arguments.phone_number_from_stdin):
        yield PersonSearch(project, arguments.data_root, uids, coda)
