"""The rows of messages.csv and individuals.csv: the same columns in the same order for both."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engagement.coding.coder import Coding
from engagement.configuration import CodingMode, CodingPlan
from engagement.configuration.field_names import CONSENT_FIELD, UID_FIELD
from engagement.files import guard_cell

WITHDRAWN = "STOP"
_find_special = re.compile('[,"\r\n]').search
_Codes = tuple[tuple[str, ...], ...]


class AnalysisRows:
    """Makes the lines of the analysis files."""

    def __init__(self, plans: Sequence[CodingPlan]) -> None:
        self.header = [UID_FIELD, CONSENT_FIELD, *(column for plan in plans for column in plan.columns())]
        self._cells = [_PlanCells(plan) for plan in plans]
        self._raw_fields = [plan.raw_field for plan in plans]
        self._write = csv_writer()

    def make_line(self, uid: str, values: Mapping[str, Any], codings: Sequence[Coding]) -> str:
        """The CSV line of a message or an individual that did not withdraw; `codings` are in the order of the plans."""
        parts = [self._cell(uid), "false"]
        for raw_field, cells, coding in zip(self._raw_fields, self._cells, codings, strict=True):
            if cells.are_there:
                parts.append(cells.known.get(coding.code_ids) or cells.write(coding))
            text = values.get(raw_field)
            parts.append("" if text is None else self._cell(str(text)))
        return ",".join(parts) + "\n"

    def _cell(self, text: str) -> str:
        return text if _find_special(text) is None else self._write([text])[:-1]

    def withdrawn_row(self) -> list[str]:
        """The cells of a message or an individual that withdrew: nothing of theirs."""
        return [WITHDRAWN, "true", *[WITHDRAWN] * (len(self.header) - 2)]


class _PlanCells:
    """The coded cells of one plan as CSV without line end; made once for each combination of codes."""

    def __init__(self, plan: CodingPlan) -> None:
        self._configurations = [
            (position, configuration.coding_mode is CodingMode.SINGLE, configuration.code_scheme.codes)
            for position, configuration in enumerate(plan.coding_configurations)
            if configuration.analysis_file_key is not None
        ]
        self.are_there = bool(self._configurations)
        self.known: dict[_Codes, str] = {}
        self._write = csv_writer()

    def write(self, coding: Coding) -> str:
        cells: list[str] = []
        for position, is_single, codes in self._configurations:
            if is_single:
                cells.append(coding.labels[position][0].code.string_value)
            else:
                cells.extend("1" if code.code_id in coding.code_ids[position] else "0" for code in codes)
        self.known[coding.code_ids] = written = self._write(cells)[:-1]
        return written


class ProductionRows:
    """Makes the lines of production.csv: what people wrote, every cell quoted and safe in a spreadsheet."""

    def __init__(self, plans: Sequence[CodingPlan]) -> None:
        self.header = [UID_FIELD, *(plan.raw_field for plan in plans)]
        self._raw_fields = self.header[1:]

    def make_line(self, uid: str, values: Mapping[str, Any]) -> str:
        """The CSV line of a message."""
        texts = [values.get(field) for field in self._raw_fields]
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
