"""Make a code scheme, compare two versions of one, set schemes in Coda, or print a code book."""

import argparse
import logging
import sys
from pathlib import Path

from engagement.configuration import CodeScheme, ControlCode, load_project
from engagement.configuration.control_codes import DEFAULT_CONTROL_CODES
from engagement.desk import scheme_push
from engagement.desk.names_with_numbers import refuse_number_in_name
from engagement.foundation.errors import InputError, UsageError
from engagement.foundation.files import make_directory, open_for_writing, read_json, write_csv
from engagement.labelling.code_books import spreadsheet
from engagement.labelling.code_books.changes import LabelCount, compare_schemes, count_labels, describe_effects
from engagement.labelling.code_books.dictionary import HEADER, entry_cells, make_dictionary
from engagement.labelling.code_books.page import make_page
from engagement.labelling.code_books.scheme_files import read_scheme, scheme_document, write_document
from engagement.labelling.code_books.sheet_schemes import make_scheme_of_sheet
from engagement.pipeline.coding.coded_datasets import CODA_FILE_REMEDY, check_coda_messages

log = logging.getLogger(__name__)

PAGE, DICTIONARY = "codebook.html", "data_dictionary.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="from-csv | diff | push | codebook")
    raw = argparse.RawDescriptionHelpFormatter
    make = actions.add_parser(
        "from-csv",
        help="make a code scheme from a sheet of codes",
        description=spreadsheet.__doc__,
        formatter_class=raw,
    )
    make.add_argument("sheet", type=Path, help="the sheet, saved as CSV UTF-8")
    make.add_argument("--output", type=Path, help="the scheme's file; by default beside the sheet, with its name")
    make.add_argument(
        "--existing", type=Path, help="scheme to take ids and numbers over from; by default --output where it exists"
    )
    make.add_argument("--name", help="name of the scheme; by default that of the existing one, else the sheet's")
    make.add_argument("--scheme-version", help="by default that of the existing scheme, else 0.0.0.1")
    make.add_argument(
        "--control-codes",
        type=parse_control_codes,
        default=DEFAULT_CONTROL_CODES,
        help=f"control codes to add where the sheet lacks them; by default {','.join(DEFAULT_CONTROL_CODES)}",
    )
    make.add_argument("--meta-codes", action="store_true", help="add the usual meta codes, like greeting, as well")
    make.add_argument("--ignore-other-columns", action="store_true", help="skip columns that do not describe codes")
    make.set_defaults(act=make_from_sheet)
    compare = actions.add_parser("diff", help="show what changed between two versions of a code scheme")
    compare.add_argument("old", type=Path, help="code scheme (JSON)")
    compare.add_argument("new", type=Path, help="its other version (JSON)")
    compare.add_argument("--data-root", type=Path, help="count the affected labels in its Coded Coda Files")
    compare.set_defaults(act=compare_versions)
    push = actions.add_parser(
        "push",
        help="set changed schemes and new users in every dataset in Coda",
        description=scheme_push.__doc__,
        formatter_class=raw,
    )
    scheme_push.add_arguments(push)
    push.set_defaults(act=scheme_push.run)
    book = actions.add_parser("codebook", help="write the code book: a page, and a data dictionary of every column")
    book.add_argument(
        "configuration", type=Path, metavar="pipeline-configuration", help="pipeline configuration (JSON)"
    )
    book.add_argument("folder", type=Path, metavar="out-dir", help=f"where to write {PAGE} and {DICTIONARY}")
    book.set_defaults(act=write_code_book)


def run(args: argparse.Namespace) -> None:
    """Run the chosen subcommand."""
    args.act(args)


def parse_control_codes(text: str) -> tuple[ControlCode, ...]:
    """Read a list of control codes with commas between them, as the command line has it."""
    try:
        return tuple(ControlCode(name.strip().upper()) for name in text.split(",") if name.strip())
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; expected some of {','.join(ControlCode)}") from None


def make_from_sheet(args: argparse.Namespace) -> None:
    """Read the sheet and the existing scheme, make the scheme, write it."""
    output = args.output or args.sheet.with_suffix(".json")
    refuse_number_in_name(output)
    earlier = args.existing or (output if output.exists() else None)
    existing = read_scheme(earlier) if earlier else None
    own = [code.control_code for code in existing.codes if code.control_code] if existing else []
    own_control_codes = [code for code in own if code not in ControlCode]
    sheet = spreadsheet.read_code_sheet(args.sheet, args.ignore_other_columns, own_control_codes)
    name = args.name or (existing.name if existing else args.sheet.stem.replace("_", " "))
    scheme = make_scheme_of_sheet(sheet, name, args.control_codes, args.meta_codes, args.scheme_version, existing)
    make_directory(output.parent)
    write_document(output, scheme_document(scheme))
    log.info(
        "Wrote %s: scheme %r, %d code(s), of them %d of the sheet", output, name, len(scheme.codes), len(sheet.codes)
    )
    if existing is not None:
        changes = compare_schemes(existing, scheme)
        removed = [change.old.string_value for change in changes.of_codes if change.new is None and change.old]
        log.info("Compared with %s: %d code(s) differ", earlier, len(changes.of_codes))
        if removed:
            log.warning(
                "%d code(s) of %s are not in the sheet and are gone: %s. A code that was only renamed keeps its labels "
                "when the column 'code id' holds its id.",
                len(removed),
                earlier,
                ", ".join(removed),
            )


def compare_versions(args: argparse.Namespace) -> None:
    """Read both versions, print the changes and their effect on labels."""
    changes = compare_schemes(read_scheme(args.old), read_scheme(args.new))
    lines = list(changes.describe())
    if args.data_root is not None:
        counts = count_in_data_root(changes.old, args.data_root)
        effects = list(describe_effects(changes, counts))
        lines += [f"Labels in the {len(counts)} dataset(s) of {args.data_root} that have the scheme:"]
        lines += [f"  {effect}" for effect in effects or ["none is affected"]]
    sys.stdout.write("\n".join(lines) + "\n")


def count_in_data_root(scheme: CodeScheme, data_root: Path) -> dict[str, dict[str, LabelCount]]:
    """Count a scheme's labels in Coded Coda Files/, by dataset and CodeID; omits datasets without any.

    Raises
    ------
    UsageError
        There is no such data root.
    InputError
        A Coda file is not of its format.
    """
    if not data_root.is_dir():
        raise UsageError(f"{data_root}: no such directory; expected the data root. Check the path.")
    counts = {}
    for path in sorted((data_root / "Coded Coda Files").glob("*.json")):
        messages = check_coda_messages(
            read_json(path, InputError, what="a Coda file", remedy=CODA_FILE_REMEDY), str(path)
        )
        found = count_labels(scheme, messages)
        if found:
            counts[path.stem] = found
    return counts


def write_code_book(args: argparse.Namespace) -> None:
    """Load the project, describe its columns, write the page and the dictionary."""
    if not args.configuration.is_file():
        raise UsageError(f"{args.configuration}: no such file; expected a pipeline configuration. Check the path.")
    project = load_project(args.configuration)
    dictionary = make_dictionary(project)
    make_directory(args.folder)
    write_csv(args.folder / DICTIONARY, HEADER, map(entry_cells, dictionary))
    with open_for_writing(args.folder / PAGE) as file:
        file.write(make_page(project, dictionary))
    log.info("Wrote %s and %s in %s: %d column(s)", PAGE, DICTIONARY, args.folder, len(dictionary))
