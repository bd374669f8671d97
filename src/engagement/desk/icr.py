"""Measure how far coders of the same sample agree: percent, Krippendorff's alpha, Gwet's AC1.

Also lists the messages that they disagree on.

Give each coder a copy of a file of Outputs/ICR/. They add a column whose heading begins with "code", and write into it the code of
each message, or several with ; between them. An empty cell means not coded; the code NC means that no code fits.

All codes together: two coders agree on a message where they gave it the very same codes. By code: where both gave the code
or neither did. Intervals are from bootstrap draws of messages; the same seed gives the same intervals.
"""

import argparse
import json
import sys
from pathlib import Path

from engagement.labelling.agreement.coding_sheets import read_codings
from engagement.labelling.agreement.report import describe_reliability, measure_reliability, reliability_document
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
    parser.add_argument("--draws", type=_positive, default=2000, help="bootstrap draws; by default 2000")
    parser.add_argument("--seed", type=_natural, default=1, help="seed of the draws; by default 1")
    parser.add_argument("--confidence", type=_share, default=0.95, help="of the intervals; by default 0.95")
    parser.add_argument("--texts", action="store_true", help="show what participants wrote beside disagreements")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> None:
    """Read the sheets, measure, print."""
    scheme = read_scheme(args.code_scheme) if args.code_scheme is not None else None
    codings = read_codings(args.sheets, args.code_column, scheme)
    reliability = measure_reliability(codings, args.draws, args.seed, args.confidence)
    if args.json:
        text = json.dumps(reliability_document(reliability, args.texts), indent=2)
    else:
        text = "\n".join(describe_reliability(reliability, args.confidence, args.texts))
    sys.stdout.write(text + "\n")


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
