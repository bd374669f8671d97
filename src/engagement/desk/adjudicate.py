"""Decide on messages of a dataset that its two coders labelled differently.

Without --decisions: writes a sheet of the messages on which the coders disagree, with both labels and an empty column
"Decision". Somebody senior writes a code into it, or several with ; between them. With --decisions: reads such a sheet
back. A decision is what counts from the next stage 3 on; the labels of both coders stay as they are.
"""

import argparse
import getpass
import logging
from collections.abc import Iterator, Set
from datetime import UTC, datetime
from pathlib import Path

from engagement.configuration import CodeScheme, CodingMode, CodingPlan, load_project
from engagement.configuration.kept_project import find_kept_configuration
from engagement.configuration.nearest import nearest
from engagement.foundation.csv_cells import remove_guard
from engagement.foundation.errors import InputError, UsageError, count_of, listing
from engagement.foundation.files import write_csv
from engagement.foundation.sheets import Row, fold_name, read_sheet, split_cell
from engagement.labelling.agreement.coding_sheets import CodedMessage, CodeNames
from engagement.labelling.agreement.double_coding import read_twice_coded
from engagement.labelling.datasets.adjudications import Decision, keep_decisions, read_decisions
from engagement.labelling.datasets.datasets import coded_file
from engagement.services.coda.format import read_message_file

log = logging.getLogger(__name__)

_COLUMNS = ("MessageID", "Text", "Scheme", "First Coder", "Second Coder", "Decision")
_READ = ("MessageID", "Scheme", "Decision")
_BETWEEN_CODES = "; "


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("data_root", type=Path, help="folder with all of the pipeline's data")
    parser.add_argument("dataset", help="name of the first coders' dataset in Coda")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--sheet", type=Path, metavar="FILE", help="write the disagreements to this new CSV file")
    what.add_argument("--decisions", type=Path, metavar="FILE", help="read the decisions from the sheet")
    parser.add_argument("--by", help="who decided; by default the user of this machine")


def run(args: argparse.Namespace) -> None:
    """Write the sheet, or read it back."""
    if not args.data_root.is_dir():
        raise UsageError(f"{args.data_root}: no such directory; expected the data root. Check the path.")
    plan = _find_plan(args.data_root, args.dataset)
    if args.sheet is not None:
        if args.sheet.exists():
            raise UsageError(f"{args.sheet}: is there already; expected a new file. Move it away, or name another one.")
        rows = list(_find_disagreements(args.data_root, plan))
        write_csv(args.sheet, _COLUMNS, rows)
        log.info("%s: %s to decide on", args.sheet, count_of(len(rows), "label"))
        return
    decisions = list(_read_decisions(args.decisions, plan, args.data_root, args.by or getpass.getuser()))
    changed = keep_decisions(args.data_root, args.dataset, decisions)
    log.info(
        "%s: %s, %d of them new; they count from the next stage 3 on",
        args.dataset,
        count_of(len(decisions), "decision"),
        changed,
    )


def _find_plan(data_root: Path, dataset: str) -> CodingPlan:
    project = load_project(find_kept_configuration(data_root))
    plans = {plan.coda_dataset: plan for plan in project.coding_plans.all if plan.coda_dataset is not None}
    if dataset not in plans:
        raise UsageError(f"{dataset!r} is not a dataset of the project; expected one{nearest(dataset, plans)}")
    return plans[dataset]


def _schemes_of(plan: CodingPlan) -> dict[str, CodeScheme]:
    schemes = (configuration.code_scheme for configuration in plan.coding_configurations if configuration.in_coda)
    return {scheme.scheme_id: scheme for scheme in schemes}


def _find_disagreements(data_root: Path, plan: CodingPlan) -> Iterator[tuple[str, ...]]:
    """List the labels on which the coders disagree and nobody decided yet."""
    decided = read_decisions(data_root, str(plan.coda_dataset))
    for scheme in _schemes_of(plan).values():
        found = read_twice_coded(data_root, str(plan.coda_dataset), scheme)
        for message in found.codings.messages if found is not None else ():
            if message.is_disagreement and (message.message_id, scheme.scheme_id) not in decided:
                yield (message.message_id, message.text, scheme.name, *_say_codes(message), "")


def _say_codes(message: CodedMessage) -> Iterator[str]:
    return (_BETWEEN_CODES.join(sorted(codes or ())) for codes in message.codes)


def _read_decisions(path: Path, plan: CodingPlan, data_root: Path, by: str) -> Iterator[Decision]:
    """Read the rows with a decision.

    Raises
    ------
    InputError
        Lists every row with an unknown message, scheme or code.
    """
    sheet = read_sheet(path, "a sheet of decisions")
    headings = [fold_name(heading) for heading in sheet.header]
    missing = [name for name in _READ if fold_name(name) not in headings]
    if missing:
        raise InputError(
            f"{path}, row 1: no column {', '.join(map(repr, missing))}; expected the sheet that --sheet wrote. Add it."
        )
    positions = [headings.index(fold_name(name)) for name in _READ]
    reader = _DecisionReader(plan, _message_ids(data_root, str(plan.coda_dataset)), by)
    decisions = [reader.read(row, *(row.cells[at] for at in positions)) for row in sheet.rows]
    if reader.problems:
        raise InputError(
            f"{path}: {listing(reader.problems)}\nNothing was taken. Correct the sheet and run this again."
        )
    yield from (one for one in decisions if one is not None)


def _message_ids(data_root: Path, dataset: str) -> set[str]:
    path = coded_file(data_root, dataset)
    if not path.exists():
        raise InputError(f"{path}: no such file; expected the labels of the first coders. Run stage 1.")
    return {message["MessageID"] for message in read_message_file(path, "Run stage 1 with --full.")}


class _DecisionReader:
    """Reads rows, and notes what is wrong with them."""

    def __init__(self, plan: CodingPlan, message_ids: Set[str], by: str):
        self.problems: list[str] = []
        self._message_ids = message_ids
        self._by = by
        self._time = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._schemes = {
            one.code_scheme.name: (one.code_scheme, one.coding_mode)
            for one in plan.coding_configurations
            if one.in_coda
        }
        self._names = {name: CodeNames(scheme) for name, (scheme, _) in self._schemes.items()}

    def read(self, row: Row, message_id: str, scheme_name: str, decision: str) -> Decision | None:
        written = split_cell(decision)
        if not written:
            return None
        where, name = f"row {row.number}", remove_guard(scheme_name)
        before = len(self.problems)
        if message_id not in self._message_ids:
            self.problems.append(
                f"{where}: {message_id!r} is not a message of the dataset; expected an id from the sheet"
            )
        if name not in self._schemes:
            self.problems.append(f"{where}: {name!r} is not a scheme of the dataset{nearest(name, self._schemes)}")
            return None
        scheme, mode = self._schemes[name]
        codes = [(one, self._names[name].find(one)) for one in written]
        self.problems += [
            f"{where}: {one!r} is not a code of the scheme{self._names[name].suggest(one)}"
            for one, code in codes
            if code is None
        ]
        ids = {code.string_value: code.code_id for code in scheme.codes}
        chosen = tuple(dict.fromkeys(ids[code] for _, code in codes if code is not None))
        if mode is CodingMode.SINGLE and len(chosen) > 1:
            self.problems.append(f"{where}: {len(chosen)} codes; expected one, as a message has one code of {name!r}")
        if len(self.problems) > before:
            return None
        return Decision(message_id, scheme.scheme_id, chosen, self._by, self._time)
