"""Distributions of participants over a scheme's codes, in total and broken down by other codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy
import pandas

from engagement.analysis.tables.coded_table import CodedTable
from engagement.analysis.tables.percentages import percentage
from engagement.configuration import Code, CodingConfiguration, CodingPlan, ControlCode

TOTAL_ROW = "Total Relevant Participants"


def tabulated(plans: Iterable[CodingPlan]) -> tuple[CodingConfiguration, ...]:
    """Return the codings of some plans that have distributions, in order."""
    return tuple(
        configuration
        for plan in plans
        for configuration in plan.coding_configurations
        if configuration.include_in_theme_distribution and configuration.analysis_file_key is not None
    )


def tabulate_distributions(
    individuals: CodedTable, codings: Sequence[CodingConfiguration], breakdowns: Sequence[CodingConfiguration]
) -> pandas.DataFrame:
    """Return the columns of theme_distributions.csv.

    Each coding has a row of relevant participants, then one for each code.

    Two columns in total and two for each breakdown code: the number of participants (int) and its percentage of the
    first row (text; "" for codes that are not Normal).
    """
    columns = ["Dataset", "Theme", *_columns("Total Participants")]
    for breakdown in breakdowns:
        for _, code in _shown(breakdown):
            columns += _columns(f"{breakdown.analysis_file_key}:{code.string_value}")
    rows = [row for coding in codings for row in _rows(individuals, coding, breakdowns)]
    return pandas.DataFrame(rows, columns=columns)


def _columns(name: str) -> tuple[str, str]:
    return name, f"{name} %"


def _shown(configuration: CodingConfiguration) -> list[tuple[int, Code]]:
    """Return a scheme's codes with positions, without STOP: no counted participant has it."""
    codes = enumerate(configuration.code_scheme.codes)
    return [(position, code) for position, code in codes if code.control_code is not ControlCode.STOP]


def _rows(
    individuals: CodedTable, coding: CodingConfiguration, breakdowns: Sequence[CodingConfiguration]
) -> Iterable[list[int | str]]:
    codes = individuals.codes(coding)
    relevant = codes.relevant_individual
    # Shapes (breakdown codes,) and (codes, breakdown codes); the first column is the total.
    totals, counts = [numpy.array([relevant.sum()])], [codes.count()[:, None]]
    for breakdown in breakdowns:
        shown = [position for position, _ in _shown(breakdown)]
        other = individuals.codes(breakdown)
        totals.append(other.count(relevant)[shown])
        counts.append(individuals.cross(coding, breakdown)[:, shown])
    total_row = numpy.concatenate(totals).tolist()
    table = numpy.concatenate(counts, axis=1).tolist()
    yield [str(coding.analysis_file_key), TOTAL_ROW, *_cells(total_row, total_row, has_percentages=True)]
    for position, code in _shown(coding):
        yield ["", code.string_value, *_cells(table[position], total_row, code.is_normal)]


def _cells(counts: Sequence[int], totals: Sequence[int], has_percentages: bool) -> Iterable[int | str]:
    for count, total in zip(counts, totals, strict=True):
        yield count
        yield percentage(count, total) if has_percentages else ""
