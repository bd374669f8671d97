"""Compare two runs, seasons or projects: a page of what differs, with intervals, and a CSV.

Reads what the last run of stage 3 left in each data root, with the configuration that it ran with.
"""

import argparse
import logging
from pathlib import Path

from engagement.analysis.comparison.page import write_comparison
from engagement.analysis.comparison.seasons import compare_seasons
from engagement.analysis.tables.season import Season, load_season
from engagement.configuration import load_project
from engagement.configuration.kept_project import find_kept_configuration
from engagement.foundation.errors import UsageError
from engagement.pipeline.outputs.analysis_files import read_season

log = logging.getLogger(__name__)

FOLDER = "Comparison"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument(
        "before", type=Path, metavar="data-root", help="data root of the earlier run, season or project"
    )
    parser.add_argument("after", type=Path, metavar="other-data-root", help="data root of the later one")
    parser.add_argument(
        "--pair",
        type=_parse_pair,
        action="append",
        default=[],
        metavar="DATASET=OTHER",
        help="datasets to compare that have different names, such as s01e01=s02e01; may be repeated",
    )
    parser.add_argument(
        "--folder", type=Path, metavar="FOLDER", help=f"where to write; {FOLDER}/ in the second data root if not given"
    )


def _parse_pair(text: str) -> tuple[str, str]:
    before, separator, after = text.partition("=")
    if not (before and separator and after):
        raise argparse.ArgumentTypeError(f"{text!r} is not like s01e01=s02e01")
    return before, after


def run(arguments: argparse.Namespace) -> None:
    """Load both seasons, compare, write."""
    before, after = _load(arguments.before), _load(arguments.after)
    found = compare_seasons(before, after, dict(arguments.pair))
    if not found.shares:
        log.warning("The two have no dataset of one name: pair them, like --pair s01e01=s02e01")
    folder = arguments.folder or arguments.after / FOLDER
    write_comparison(before, after, found, folder)
    log.info("Wrote comparison.html and comparison.csv to %s: %d share(s) compared", folder, len(found.shares))


def _load(data_root: Path) -> Season:
    if not data_root.is_dir():
        raise UsageError(f"{data_root}: no such directory; expected a data root. Check the path.")
    read_season(data_root)
    return load_season(load_project(find_kept_configuration(data_root)), data_root)
