"""The rows of messages.csv and individuals.csv: the same columns in the same order for both."""

import csv
import io
import re
from collections.abc import Callable, Sequence

from engagement.coding.coder import Coding
from engagement.configuration import CodingMode, CodingPlan
from engagement.configuration.field_names import CONSENT_FIELD, UID_FIELD
from engagement.files import guard_cell

WITHDRAWN = "STOP"
_find_special = re.compile('[,"\r\n]').search
_Codes = tuple[tuple[str, ...], ...]


class ChangedAnswers:
    """Tells which answers of a row are others than in the row before: messages of one participant share what was answered in surveys."""

    def __init__(self, plans: Sequence[CodingPlan]) -> None:
        self._texts: Sequence[object] = [self] * len(plans)
        self._codings: Sequence[object] = self._texts

    def find(self, texts: Sequence[str | None], codings: Sequence[Coding]) -> list[int]:
        """The numbers of the plans."""
        # They are the very same objects where they are shared; others that are equal are only written anew.
        both = zip(texts, self._texts, codings, self._codings, strict=True)
        changed = [number for number, (a, b, c, d) in enumerate(both) if a is not b or c is not d]
        self._texts, self._codings = texts, codings
        return changed


class AnalysisRows:
    """Makes the lines of one of the analysis files."""

    def __init__(self, plans: Sequence[CodingPlan]) -> None:
        self.header = [UID_FIELD, CONSENT_FIELD, *(column for plan in plans for column in plan.columns())]
        self._cells = [_PlanCells(plan) for plan in plans]
        self._parts = [""] * len(plans)

    def make_line(
        self, uid: str, texts: Sequence[str | None], codings: Sequence[Coding], changed: Sequence[int]
    ) -> str:
        """The CSV line of a message or an individual that did not withdraw; texts and codings are in the order of the plans.

        `changed` are the numbers of those that are not as in the line made before.
        """
        for number in changed:
            self._parts[number] = self._cells[number].write(texts[number], codings[number])
        return f"{_write_cell(uid)},false,{','.join(self._parts)}\n"

    def withdrawn_row(self) -> list[str]:
        """The cells of a message or an individual that withdrew: nothing of theirs."""
        return [WITHDRAWN, "true", *[WITHDRAWN] * (len(self.header) - 2)]


def _write_cell(text: str) -> str:
    return text if _find_special(text) is None else _write_quoted([text])[:-1]


class _PlanCells:
    """The cells of one plan as CSV without line end; the coded ones are made once for each combination of codes."""

    def __init__(self, plan: CodingPlan) -> None:
        self._configurations = [
            (position, configuration.coding_mode is CodingMode.SINGLE, configuration.code_scheme.codes)
            for position, configuration in enumerate(plan.coding_configurations)
            if configuration.analysis_file_key is not None
        ]
        self._known: dict[_Codes, str] = {}

    def write(self, text: str | None, coding: Coding) -> str:
        """The codes, if any have columns, and the text."""
        written = "" if text is None else _write_cell(str(text))
        if not self._configurations:
            return written
        return f"{self._known.get(coding.code_ids) or self._write_codes(coding)},{written}"

    def _write_codes(self, coding: Coding) -> str:
        cells: list[str] = []
        for position, is_single, codes in self._configurations:
            if is_single:
                cells.append(coding.labels[position][0].code.string_value)
            else:
                cells.extend("1" if code.code_id in coding.code_ids[position] else "0" for code in codes)
        self._known[coding.code_ids] = written = _write_quoted(cells)[:-1]
        return written


class ProductionRows:
    """Makes the lines of production.csv: what people wrote, every cell quoted and safe in a spreadsheet."""

    def __init__(self, plans: Sequence[CodingPlan]) -> None:
        self.header = [UID_FIELD, *(plan.raw_field for plan in plans)]

    def make_line(self, uid: str, texts: Sequence[str | None]) -> str:
        """The CSV line of a message; `texts` are in the order of the plans."""
        cells = ["" if text is None else guard_cell(str(text)).replace('"', '""') for text in texts]
        return '"' + '","'.join([uid, *cells]) + '"\n'


def csv_writer(quote_all: bool = False) -> Callable[[Sequence[str]], str]:
    """A function that turns cells into one CSV line, with its line end."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL)

    def write(cells: Sequence[str]) -> str:
        writer.writerow(cells)
        line = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return line

    return write


_write_quoted = csv_writer()
