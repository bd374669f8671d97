"""Make the rows of messages.csv and individuals.csv, which have the same columns in the same order."""

from collections.abc import Callable, Sequence
from itertools import compress
from operator import is_not, or_
from typing import NamedTuple

from engagement.configuration import CodingMode, CodingPlan
from engagement.configuration.field_names import CONSENT_FIELD, UID_FIELD
from engagement.foundation.csv_cells import encode_cell, encode_line, guard_cell
from engagement.pipeline.coding.codings import Coding
from engagement.pipeline.outputs.group_columns import NO_GROUPS, GroupColumns
from engagement.pipeline.outputs.origin_columns import Origins, encode_origins

WITHDRAWN = "STOP"
_Codes = tuple[tuple[str, ...], ...]


class Answers(NamedTuple):
    """The answers of a row and their codings, in the order of the plans."""

    texts: Sequence[str | None]
    codings: Sequence[Coding]


def find_changed_answers(last: Answers | None, answers: Answers) -> Sequence[int]:
    """Find the numbers of the plans whose answers differ from the last row; all without a last row.

    A participant's messages share survey answers as the same objects. Equal answers that are not the same object only cost
    encoding them again.
    """
    if last is None:
        return range(len(answers.texts))
    are_changed = map(or_, map(is_not, answers.texts, last.texts), map(is_not, answers.codings, last.codings))
    return list(compress(range(len(answers.texts)), are_changed))


class AnalysisRows:
    """Makes the lines of one of the analysis files."""

    def __init__(
        self,
        plans: Sequence[CodingPlan],
        guards_formulas: bool = False,
        groups: GroupColumns = NO_GROUPS,
        origin_names: Sequence[str] = (),
    ) -> None:
        """With `guards_formulas`, participants' texts are made safe for spreadsheets.

        Where messages came from has the columns `origin_names`; `groups` have the last.
        """
        columns = (column for plan in plans for column in plan.columns())
        self.header = [UID_FIELD, CONSENT_FIELD, *columns, *origin_names, *groups.names]
        self._groups = groups
        self._number_of_answers = len(self.header) - len(origin_names) - len(groups.names)
        self._cells = [_PlanCells(plan, _encode_guarded if guards_formulas else encode_cell) for plan in plans]
        self._parts = [""] * len(plans)

    def make_next_line(self, uid: str, answers: Answers, changed: Sequence[int], origins: Origins = ()) -> str:
        """Make the CSV line of the next message or individual that did not withdraw.

        `changed` are the numbers of the plans whose answers differ from the last line; `origins` are the values of `origin_names`.
        """
        for number in changed:
            self._parts[number] = self._cells[number].write(answers.texts[number], answers.codings[number])
        more = encode_origins(origins) if origins else ""
        return f"{encode_cell(uid)},false,{','.join(self._parts)}{more}{self._groups.cells(uid)}\n"

    def make_cells(self, uid: str, texts: Sequence[str | None], codings: Sequence[Coding]) -> dict[str, str]:
        """Make the cells of such a line by column, before encoding."""
        found = [
            cell
            for plan, text, coding in zip(self._cells, texts, codings, strict=True)
            for cell in plan.make(text, coding)
        ]
        names = self.header[: self._number_of_answers]
        return dict(zip(names, [uid, "false", *found], strict=True))

    def withdrawn_row(self) -> list[str]:
        """Make the cells of a withdrawn message or individual, with nothing of theirs in them."""
        return [WITHDRAWN, "true", *[WITHDRAWN] * (len(self.header) - 2)]


def _encode_guarded(text: str) -> str:
    return encode_cell(guard_cell(text))


class _PlanCells:
    """Cells of one plan as CSV without line end; each combination of codes is encoded only once."""

    def __init__(self, plan: CodingPlan, encode_text: Callable[[str], str]) -> None:
        self._encode_text = encode_text
        self._configurations = [
            (position, configuration.coding_mode is CodingMode.SINGLE, configuration.code_scheme.codes)
            for position, configuration in enumerate(plan.coding_configurations)
            if configuration.analysis_file_key is not None
        ]
        self._known: dict[_Codes, str] = {}

    def write(self, text: str | None, coding: Coding) -> str:
        """Write the codes, if any have columns, and the text."""
        written = "" if text is None else self._encode_text(str(text))
        if not self._configurations:
            return written
        return f"{self._known.get(coding.code_ids) or self._write_codes(coding)},{written}"

    def make(self, text: str | None, coding: Coding) -> list[str]:
        """Make the same cells, before encoding."""
        return [*self._code_cells(coding), "" if text is None else str(text)]

    def _write_codes(self, coding: Coding) -> str:
        self._known[coding.code_ids] = written = encode_line(self._code_cells(coding))[:-1]
        return written

    def _code_cells(self, coding: Coding) -> list[str]:
        cells: list[str] = []
        for position, is_single, codes in self._configurations:
            if is_single:
                cells.append(coding.labels[position][0].code.string_value)
            else:
                cells.extend("1" if code.code_id in coding.code_ids[position] else "0" for code in codes)
        return cells


class ProductionRows:
    """Makes the lines of production.csv: participants' texts, all cells quoted and spreadsheet-safe."""

    def __init__(self, plans: Sequence[CodingPlan]) -> None:
        self.header = [UID_FIELD, *(plan.raw_field for plan in plans)]
        self._cells = [""] * len(plans)

    def make_next_line(self, uid: str, texts: Sequence[str | None], changed: Sequence[int]) -> str:
        """Make the CSV line of the next message; `texts` are in the order of the plans.

        `changed` are the numbers of the plans whose texts differ from the last line.
        """
        for number in changed:
            text = texts[number]
            self._cells[number] = "" if text is None else guard_cell(str(text))
        return encode_line([uid, *self._cells], quote_all=True)
