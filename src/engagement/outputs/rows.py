"""The rows of messages.csv and individuals.csv: the same columns in the same order for both."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engagement.coding.labels import Label
from engagement.configuration import CodingConfiguration, CodingMode, CodingPlan
from engagement.configuration.cross_checks import CONSENT_FIELD, UID_FIELD

WITHDRAWN = "STOP"


class AnalysisRows:
    """Makes the cells of the analysis files."""

    def __init__(self, plans: Sequence[CodingPlan]) -> None:
        self.header = [UID_FIELD, CONSENT_FIELD, *(column for plan in plans for column in plan.columns())]
        self._fields: list[str | _CodedCells] = []
        for plan in plans:
            self._fields.extend(
                _CodedCells(configuration)
                for configuration in plan.coding_configurations
                if configuration.analysis_file_key is not None
            )
            self._fields.append(plan.raw_field)

    def make_row(self, uid: str, values: Mapping[str, Any], labels: Mapping[str, tuple[Label, ...]]) -> list[str]:
        """The cells of a message or an individual that did not withdraw."""
        row = [uid, "false"]
        for field in self._fields:
            if isinstance(field, str):
                text = values.get(field)
                row.append("" if text is None else str(text))
            else:
                row.extend(field.cells(labels[field.coded_field]))
        return row

    def withdrawn_row(self) -> list[str]:
        """The cells of a message or an individual that withdrew: nothing of theirs."""
        return [WITHDRAWN, "true", *[WITHDRAWN] * (len(self.header) - 2)]


class _CodedCells:
    """The cells of one coded field; made once for each combination of codes."""

    def __init__(self, configuration: CodingConfiguration) -> None:
        self.coded_field = configuration.coded_field
        self._is_single = configuration.coding_mode is CodingMode.SINGLE
        self._codes = configuration.code_scheme.codes
        self._known: dict[tuple[str, ...], list[str]] = {}

    def cells(self, labels: tuple[Label, ...]) -> list[str]:
        key = tuple(label.code.code_id for label in labels)
        found = self._known.get(key)
        if found is None:
            found = [labels[0].code.string_value] if self._is_single else self._matrix(key)
            self._known[key] = found
        return found

    def _matrix(self, code_ids: tuple[str, ...]) -> list[str]:
        return ["1" if code.code_id in code_ids else "0" for code in self._codes]


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
