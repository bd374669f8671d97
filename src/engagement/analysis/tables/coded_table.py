"""Messages or participants of a season, one a row, and counts of their codes.

Each row of a coded field stores the number of its combination of codes. There are few combinations, so questions about
codes are answered once per combination and then looked up for all rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy
import pandas

from engagement.configuration import Code, CodeScheme, CodingConfiguration, CodingPlan
from engagement.configuration.control_codes import CONTROL_CODES, ControlCode
from engagement.foundation.errors import InputError
from engagement.pipeline.outputs.analysis_files import (
    TIME,
    UID,
    codes_column,
    count_rows,
    guesses_column,
    has_column,
    read_column,
    read_distinct,
    text_column,
)

if TYPE_CHECKING:
    import pyarrow

type Mask = numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.bool_]]
type Numbers = numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.integer]]

_NOT_ASKED = tuple(control for control, entry in CONTROL_CODES.items() if not entry.has_responded)


class Codes:
    """The codes of one coded field in every row."""

    def __init__(
        self,
        scheme: CodeScheme,
        combinations: Sequence[Sequence[str]],
        numbers: Numbers,
        guesses: Mapping[str, Mask] | None = None,
    ) -> None:
        """Take `combinations` (lists of code ids) and `numbers`, each row's combination, of shape (rows,).

        `guesses` are masks of rows with guessed Normal codes, by what they were guessed from.

        Raises
        ------
        KeyError
            The scheme lacks a code id.
        """
        self._scheme = scheme
        self.numbers = numbers
        self.guesses = guesses or {}
        # Shape (combinations, codes): whether the combination contains the code.
        self.holds: Mask = numpy.zeros((len(combinations), len(scheme.codes)), dtype=bool)
        positions = {code.code_id: position for position, code in enumerate(scheme.codes)}
        for number, code_ids in enumerate(combinations):
            self.holds[number, [positions[code_id] for code_id in code_ids]] = True

    def hold_any(self, is_meant: Callable[[Code], bool]) -> Mask:
        """Tell for each row whether it has one of the given codes; shape (rows,), bool."""
        return self._any(is_meant)[self.numbers]

    def _any(self, is_meant: Callable[[Code], bool]) -> Mask:
        return self.holds[:, [is_meant(code) for code in self._scheme.codes]].any(axis=1)

    @cached_property
    def _responded(self) -> Mask:
        return self._any(lambda code: code.control_code not in _NOT_ASKED)

    @cached_property
    def _labelled(self) -> Mask:
        return self._responded & ~self._any(lambda code: code.control_code is ControlCode.NR)

    @cached_property
    def _normal(self) -> Mask:
        return self._any(lambda code: code.is_normal)

    @property
    def responded(self) -> Mask:
        """Rows coded with anything but NA or NS: opt-ins."""
        return self._responded[self.numbers]

    @property
    def labelled(self) -> Mask:
        """Rows that responded and have no NR."""
        return self._labelled[self.numbers]

    @property
    def relevant_message(self) -> Mask:
        """Labelled rows with at least one Normal code."""
        return (self._labelled & self._normal)[self.numbers]

    @property
    def relevant_individual(self) -> Mask:
        """Rows that responded with at least one Normal code, even if not fully reviewed."""
        return self._normal[self.numbers]

    @property
    def answered(self) -> Mask:
        """Rows with at least one Normal code from an answer."""
        rows = self.relevant_individual
        for guessed in self.guesses.values():
            rows &= ~guessed
        return rows

    def first_values(self) -> Numbers:
        """Return the position of each row's first Normal code among the Normal ones; shape (rows,).

        Without one from an answer it is the number of the Normal codes.
        """
        held = self.holds[:, [code.is_normal for code in self._scheme.codes]]
        missing = held.shape[1]
        of_combination = numpy.where(held.any(axis=1), held.argmax(axis=1) if missing else 0, missing)
        return numpy.where(self.answered, of_combination[self.numbers], missing)

    def count(self, rows: numpy.ndarray | None = None) -> numpy.ndarray:
        """Count the rows (of a mask, or all) with each code; shape (codes,)."""
        numbers = self.numbers if rows is None else self.numbers[rows]
        return numpy.bincount(numbers, minlength=len(self.holds)) @ self.holds

    def cross(self, other: Codes, rows: numpy.ndarray | None = None) -> numpy.ndarray:
        """Count the rows (of a mask, or all) with each pair of this field's and another's codes.

        Shape (codes, codes of the other).
        """
        # Only existing pairs of combinations: all possible pairs may be too many to list.
        width = len(other.holds)
        numbers, others = (one.numbers if rows is None else one.numbers[rows] for one in (self, other))
        places, pairs = pandas.factorize(numbers.astype(numpy.int64) * width + others)
        own, of_other = self.holds[pairs // width].astype(float), other.holds[pairs % width].astype(float)
        # Floats multiply faster, and are exact for whole numbers up to 2**53.
        counts: Numbers = ((own.T * numpy.bincount(places, minlength=len(pairs))) @ of_other).astype(numpy.int64)
        return counts


class CodedTable:
    """A file from stage 3, whose columns are read on demand.

    Message columns: uid, time (UTC instants), dataset (name in Coda, else the raw field) and run_id; participant
    column: uid. Both also have what `codes` and `texts` read. Row order means nothing, but is the same in every column.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._codes: dict[str, Codes] = {}
        self._crossed: dict[tuple[str, str], numpy.ndarray] = {}
        self._often_read: dict[str, pandas.Series] = {}
        self._rows = count_rows(path)

    def __len__(self) -> int:
        return self._rows

    def column(self, name: str) -> pandas.Series:
        """Read a column of the file; keeps those that nearly every table needs."""
        if name not in (UID, TIME):
            return read_column(self._path, name)
        if name not in self._often_read:
            self._often_read[name] = read_column(self._path, name)
        return self._often_read[name]

    def distinct(self, name: str) -> tuple[pyarrow.Array, numpy.ndarray]:
        """Read a column of texts as its distinct texts and each row's place among them."""
        return read_distinct(self._path, name)

    def texts(self, plan: CodingPlan) -> pandas.Series:
        """Read participants' texts (categorical); missing if there was no answer, folded for individuals."""
        return read_column(self._path, text_column(plan.raw_field))

    def codes(self, configuration: CodingConfiguration) -> Codes:
        """Read the codes of a coded field.

        Raises
        ------
        InputError
            The field or one of its codes is not in the code scheme: the configuration changed since stage 3.
        """
        field, scheme = configuration.coded_field, configuration.code_scheme
        found = self._codes.get(field)
        if found is None:
            column = read_column(self._path, codes_column(field)).cat
            combinations = [json.loads(text) for text in column.categories]
            try:
                found = Codes(scheme, combinations, column.codes.to_numpy(), self._read_guesses(field))
            except KeyError as error:
                raise InputError(
                    f"{self._path}: field {field!r} has code {error}, which scheme {scheme.name!r} lacks; expected the code "
                    "schemes that stage 3 used. Run stage 3 again."
                ) from None
            self._codes[field] = found
        return found

    def _read_guesses(self, field: str) -> dict[str, numpy.ndarray]:
        name = guesses_column(field)
        if not has_column(self._path, name):
            return {}
        guesses = read_column(self._path, name).cat
        return {source: (guesses.codes == number).to_numpy() for number, source in enumerate(guesses.categories)}

    def cross(self, first: CodingConfiguration, second: CodingConfiguration) -> numpy.ndarray:
        """Count rows with each pair of codes of two codings; shape (first's codes, second's codes). Cached."""
        key = first.coded_field, second.coded_field
        if key not in self._crossed:
            self._crossed[key] = self.codes(first).cross(self.codes(second))
        return self._crossed[key]

    def count_codes(self, configuration: CodingConfiguration) -> pandas.Series:
        """Count rows with each code, by StringValue in the scheme's order."""
        return pandas.Series(self.codes(configuration).count(), index=string_values(configuration), dtype="int64")

    def cross_tabulate(self, first: CodingConfiguration, second: CodingConfiguration) -> pandas.DataFrame:
        """Count rows with each pair of codes of two codings, by StringValues."""
        return pandas.DataFrame(self.cross(first, second), index=string_values(first), columns=string_values(second))


def string_values(configuration: CodingConfiguration) -> list[str]:
    """Return the StringValues of a scheme's codes, in order."""
    return [code.string_value for code in configuration.code_scheme.codes]


def any_of(table: CodedTable, configurations: Sequence[CodingConfiguration], what: str) -> numpy.ndarray:
    """Find rows where `what`, a property of Codes, holds in any coding; shape (rows,), bool."""
    found = numpy.zeros(len(table), dtype=bool)
    for configuration in configurations:
        found |= getattr(table.codes(configuration), what)
    return found
