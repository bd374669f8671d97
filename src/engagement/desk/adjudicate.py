"""Decide on messages of a dataset that its two coders labelled differently.

Without --decisions: writes a sheet of the messages on which the coders disagree, with both labels and an empty column
"Decision". Somebody senior writes a code into it, or several with ; between them. With --decisions: reads such a sheet
back. A decision is what counts from the next stage 3 on; the labels of both coders stay as they are.
"""

import argparse
import getpass
import logging
from collections.abc import Iterator, Sequence, Set
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
_CODERS = ("First Coder", "Second Coder")
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
    coders = [headings.index(fold_name(name)) for name in _CODERS if fold_name(name) in headings]
    reader = _DecisionReader(plan, _KnownLabels(data_root, plan), by)
    decisions = [
        reader.read(row, [row.cells[at] for at in coders], *(row.cells[at] for at in positions)) for row in sheet.rows
    ]
    if reader.problems:
        raise InputError(
            f"{path}: {listing(reader.problems)}\nNothing was taken. Correct the sheet and run this again."
        )
    if reader.outdated:
        log.warning(
            "%s: %s\nThese decisions were not taken, as the coders have other labels now than the sheet shows. Write a new sheet "
            "and decide again.",
            path,
            listing(reader.outdated),
        )
    yield from (one for one in decisions if one is not None)


class _KnownLabels:
    """What stage 1 downloaded: the first coders' labels, and which codes the two coders gave."""

    def __init__(self, data_root: Path, plan: CodingPlan):
        dataset = str(plan.coda_dataset)
        path = coded_file(data_root, dataset)
        if not path.exists():
            raise InputError(f"{path}: no such file; expected the labels of the first coders. Run stage 1.")
        messages = read_message_file(path, "Run stage 1 with --full.")
        self._labels = {message["MessageID"]: message["Labels"] for message in messages}
        self._codes: dict[tuple[str, str], tuple[Set[str], ...]] = {}
        for scheme in _schemes_of(plan).values():
            found = read_twice_coded(data_root, dataset, scheme)
            for message in found.codings.messages if found is not None else ():
                codes = tuple(frozenset(one or ()) for one in message.codes)
                self._codes[message.message_id, scheme.scheme_id] = codes

    def has(self, message_id: str) -> bool:
        """Tell whether the dataset has a message."""
        return message_id in self._labels

    def codes_of_coders(self, message_id: str, scheme: CodeScheme) -> tuple[Set[str], ...] | None:
        """Return the codes that the two coders gave; None unless both did."""
        return self._codes.get((message_id, scheme.scheme_id))

    def newest(self, message_id: str, scheme: CodeScheme) -> str:
        """Return the time of the newest label of the first coders; empty without one."""
        own = (label for label in self._labels[message_id] if scheme.owns(label["SchemeID"]))
        return max((str(label.get("DateTimeUTC", "")) for label in own), default="")


class _DecisionReader:
    """Reads rows; notes what is wrong with them, and which were decided on labels that changed since."""

    def __init__(self, plan: CodingPlan, known: _KnownLabels, by: str):
        self.problems: list[str] = []
        self.outdated: list[str] = []
        self._known = known
        self._rows: dict[tuple[str, str], tuple[int, tuple[str, ...]]] = {}
        self._by = by
        self._time = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._schemes = {
            one.code_scheme.name: (one.code_scheme, one.coding_mode)
            for one in plan.coding_configurations
            if one.in_coda
        }
        self._names = {name: CodeNames(scheme) for name, (scheme, _) in self._schemes.items()}

    def read(self, row: Row, shown: Sequence[str], message_id: str, scheme_name: str, decision: str) -> Decision | None:
        """Read a row; None if nothing can be taken. `shown` are the coders' codes on the sheet."""
        written = split_cell(decision)
        if not written:
            return None
        where, name = f"row {row.number}", remove_guard(scheme_name)
        before = len(self.problems)
        if not self._known.has(message_id):
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
        number, other = self._rows.setdefault((message_id, scheme.scheme_id), (row.number, chosen))
        if set(other) != set(chosen):
            self.problems.append(f"{where}: row {number} decides otherwise on the same message; expected one decision")
        if len(self.problems) > before:
            return None
        if shown and self._is_outdated(message_id, scheme, shown):
            self.outdated.append(f"{where}: {message_id!r}")
            return None
        return Decision(
            message_id, scheme.scheme_id, chosen, self._by, self._time, self._known.newest(message_id, scheme)
        )

    def _is_outdated(self, message_id: str, scheme: CodeScheme, shown: Sequence[str]) -> bool:
        """Tell whether the coders' codes are others now than those that whoever decided saw."""
        names = self._names[scheme.name]
        on_sheet = tuple(
            frozenset(names.find(code) or code for code in split_cell(remove_guard(cell))) for cell in shown
        )
        return len(on_sheet) == len(_CODERS) and on_sheet != self._known.codes_of_coders(message_id, scheme)
