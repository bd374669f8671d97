"""Export everything that a data root holds of a participant: JSON, CSV and a page.

They are in a new folder for this user alone, outside the data root, with their runs, texts and labels, rows of the outputs, and where
their data went. Hand it to them, then remove it.
"""

import argparse
import sys
from pathlib import Path

from engagement.delivery.hand_over_log import log_hand_over
from engagement.desk.held_data.arguments import add_person_arguments, find_people
from engagement.desk.held_data.exporting import check_folder, write_export


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    add_person_arguments(parser)
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FOLDER", help="new folder for it, outside the data root"
    )


def run(arguments: argparse.Namespace) -> None:
    """Find everything of each person, and write it."""
    people = list(find_people(arguments))
    check_folder(arguments.output, arguments.data_root, arguments.configuration)
    for number, search in enumerate(people, 1):
        folder = arguments.output if len(people) == 1 else arguments.output / f"participant {number}"
        count = 0
        if search.uids:
            with log_hand_over(arguments.data_root, "export-participant", "folder outside the data root") as counts:
                count = counts["items"] = write_export(search, folder)
        sys.stdout.write(f"{folder}: {count:,} items\n" if count else "Nothing is held of this participant.\n")
