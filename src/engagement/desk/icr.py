"""Measure how far coders of the same sample agree: percent, Krippendorff's alpha, Gwet's AC1.

Also lists the messages that they disagree on.

Give each coder a copy of a file of Outputs/ICR/. They add a column whose heading begins with "code", and write into it the code of
each message, or several with ; between them. An empty cell means not coded; the code NC means that no code fits.

All codes together: two coders agree on a message where they gave it the very same codes. By code: where both gave the code
or neither did. Intervals are from bootstrap draws of messages; the same seed gives the same intervals.

With --data-root the numbers are kept there, for the next analysis.
"""

import argparse
import json
import sys
from pathlib import Path

from engagement.configuration import CodingPlan, load_project
from engagement.configuration.kept_project import find_kept_configuration
from engagement.configuration.nearest import nearest
from engagement.foundation.errors import UsageError
from engagement.labelling.agreement.coding_sheets import Codings, read_codings
from engagement.labelling.agreement.report import (
    CONFIDENCE,
    DRAWS,
    SEED,
    describe_reliability,
    measure_reliability,
    reliability_document,
)
from engagement.labelling.agreement.stored_results import keep_result
from engagement.labelling.code_books.scheme_files import read_scheme


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("sheets", type=Path, nargs="+", metavar="sheet", help="a coder's sheet, as CSV; two or more")
    parser.add_argument(
        "--code-column", action="append", default=[], metavar="HEADING", help="column with codes; may be repeated"
    )
    parser.add_argument(
        "--code-scheme",
        type=Path,
        metavar="FILE",
        help="refuse codes that this scheme lacks, and take any name of a code",
    )
    parser.add_argument("--draws", type=_positive, default=DRAWS, help=f"bootstrap draws; by default {DRAWS}")
    parser.add_argument("--seed", type=_natural, default=SEED, help=f"seed of the draws; by default {SEED}")
    parser.add_argument(
        "--confidence", type=_share, default=CONFIDENCE, help=f"of the intervals; by default {CONFIDENCE}"
    )
    parser.add_argument("--data-root", type=Path, help="keep the numbers in this data root, for the next analysis")
    parser.add_argument("--texts", action="store_true", help="show what participants wrote beside disagreements")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> None:
    """Read the sheets, measure, keep, print."""
    scheme = read_scheme(args.code_scheme) if args.code_scheme is not None else None
    codings = read_codings(args.sheets, args.code_column, scheme)
    plan = None if args.data_root is None else _find_plan(args.data_root, codings)
    reliability = measure_reliability(codings, args.draws, args.seed, args.confidence)
    if plan is not None:
        keep_result(args.data_root, plan, reliability)
    if args.json:
        text = json.dumps(reliability_document(reliability, args.texts), indent=2)
    else:
        text = "\n".join(describe_reliability(reliability, args.confidence, args.texts))
    sys.stdout.write(text + "\n")


def _find_plan(data_root: Path, codings: Codings) -> CodingPlan:
    """Find the episode that the sheets are of, by the heading of their texts."""
    if not data_root.is_dir():
        raise UsageError(f"{data_root}: no such directory; expected the data root. Check the path.")
    plans = {plan.raw_field: plan for plan in load_project(find_kept_configuration(data_root)).coding_plans.rqa}
    found = [plans[heading] for heading in codings.text_columns if heading in plans]
    if len(found) != 1 or len(codings.text_columns) != 1:
        headings = ", ".join(map(repr, codings.text_columns)) or "nothing"
        raise UsageError(
            f"the sheets: their second column is {headings}; expected the same raw field of an episode in all of them"
            f"{nearest(codings.text_columns[0] if codings.text_columns else '', plans)} Give it back its name."
        )
    return found[0]


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 0 and 1")
    return share
