"""Write a file with phone numbers again, with the uid of each number in its place.

The uids are those that the numbers' SMS have: they come from the project's uuid table, which gives new numbers new ones. The
new file is a CSV for this user alone, beside the first one. The first one is left as it is: remove it when it is no longer needed.
"""

import argparse
import logging
import re
import typing
from collections.abc import Sequence
from pathlib import Path

from engagement.configuration.nearest import nearest
from engagement.configuration.participant_ids import PARTICIPANT_PREFIX
from engagement.desk.de_identification.places import choose_outputs
from engagement.desk.de_identification.tables import (
    Checked,
    ReplacementSettings,
    WithoutNumber,
    check_table,
    say_rows,
    write_table,
)
from engagement.foundation.errors import InputError, UsageError, count_of
from engagement.services.credentials import load_credentials
from engagement.services.retries import RetryPolicy
from engagement.services.uuid_tables.protocol import find_uuid_tables, open_uuid_table
from engagement.sources.tables.encodings import Encoding

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="tables (CSV, TSV, XLSX) outside the data root"
    )
    parser.add_argument("--column", required=True, metavar="NAME", help="column of phone numbers")
    parser.add_argument(
        "--table", required=True, metavar="NAME", help="uuid table: PhoneNumberUuidTable.TableName of the project"
    )
    parser.add_argument(
        "--credentials", type=Path, required=True, metavar="FILE", help="credentials of the uuid table (JSON)"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="new file; by default <name>_deidentified.csv beside the first one"
    )
    parser.add_argument(
        "--country", metavar="CODE", help="country of numbers without its code, such as SO for 0615000001"
    )
    parser.add_argument(
        "--mask-texts", nargs="+", default=[], metavar="COLUMN", help="columns of texts in which numbers are masked"
    )
    parser.add_argument(
        "--without-number",
        choices=typing.get_args(WithoutNumber),
        default="refuse",
        help="rows without a usable number: refuse the file (the default), leave them out, or write them without a uid",
    )
    parser.add_argument("--encoding", choices=typing.get_args(Encoding), help="encoding of a file that is not UTF-8")
    parser.add_argument("--sheet", metavar="NAME", help="sheet of a workbook that has several")
    parser.add_argument(
        "--prefix",
        default=PARTICIPANT_PREFIX,
        help="beginning of new uids: ParticipantPrefix of the project, by default %(default)s",
    )


def run(arguments: argparse.Namespace) -> None:
    """Check all the files, then write them."""
    credentials = load_credentials(arguments.credentials)
    settings = _read_settings(arguments)
    outputs = choose_outputs(arguments.files, arguments.output)
    for path, checked in _check_all(arguments.files, settings):
        if checked.without_number:
            log.warning(
                "%s: %s without a usable phone number: %s",
                path,
                count_of(checked.without_number, "row"),
                say_rows(checked),
            )
        for column, cells in checked.elsewhere.items():
            log.warning(
                "%s, column %s: what looks like a phone number stays as it is in %s; --mask-texts masks it",
                path,
                column,
                count_of(cells, "cell"),
            )
    _warn_of_new_table(arguments.table, find_uuid_tables(credentials, RetryPolicy()))
    uuid_table = open_uuid_table(credentials, arguments.table, RetryPolicy(), arguments.prefix)
    try:
        for path, output in zip(arguments.files, outputs, strict=True):
            rows = write_table(path, output, settings, uuid_table)
            log.info("%s: %s written", output, count_of(rows, "row"))
    finally:
        uuid_table.close()


def _check_all(files: Sequence[Path], settings: ReplacementSettings) -> list[tuple[Path, Checked]]:
    checked: list[tuple[Path, Checked]] = []
    refused: list[str] = []
    for path in files:
        try:
            checked.append((path, check_table(path, settings)))
        except InputError as error:
            refused.append(str(error))
    if refused:
        raise InputError("\n".join(refused))
    return checked


def _warn_of_new_table(name: str, tables: Sequence[str]) -> None:
    if name not in tables:
        log.warning(
            "--table %r: there is no such uuid table yet%s It is made now, and everybody gets another uid than in any other table. "
            "If the project has fetched anything, remove the new files, and name the table of its PhoneNumberUuidTable.",
            name,
            nearest(name, tables),
        )


def _read_settings(arguments: argparse.Namespace) -> ReplacementSettings:
    country = arguments.country
    if country is not None and re.fullmatch("[A-Za-z]{2}", country) is None:
        raise UsageError(f"--country {country!r}: not a country; expected two letters, such as SO or KE. Change it.")
    if arguments.column in arguments.mask_texts:
        raise UsageError(
            f"--mask-texts {arguments.column!r}: the column of --column; expected columns of texts. Change it."
        )
    return ReplacementSettings(
        arguments.column,
        tuple(arguments.mask_texts),
        None if country is None else country.upper(),
        arguments.encoding,
        arguments.sheet,
        arguments.without_number,
    )
