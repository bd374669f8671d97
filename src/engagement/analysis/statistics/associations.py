"""Cross-tabulations of demographics and themes, and the tests of each: crosstabs.csv and tests.csv."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from typing import NamedTuple

import numpy

from engagement.analysis.statistics.exact import conditional_odds_ratio, fisher_p
from engagement.analysis.statistics.probability import adjust_p_values, chi_squared_tail
from engagement.analysis.statistics.variables import EpisodeThemes, Variable
from engagement.analysis.tables.intervals import NORMAL_95

PAIR, THEME = "pair", "theme"
NO, YES = "no", "yes"
CHI_SQUARED, FISHER, NOT_COMPUTED = "chi-squared", "fisher", "not computed"
# With a smaller expected count chi-squared is no good approximation (Cochran 1954).
_LEAST_EXPECTED = 5


class CrosstabRow(NamedTuple):
    """A row of crosstabs.csv: `n` of the `row_base` participants with a row's value have the column's."""

    kind: str
    dataset: str
    row_variable: str
    row_value: str
    column_variable: str
    column_value: str
    n: int
    row_base: int
    row_percent: float


class AssociationTestRow(NamedTuple):
    """A row of tests.csv; what is not defined, or was not computed, is None."""

    kind: str
    dataset: str
    row_variable: str
    column_variable: str
    rows: int
    columns: int
    n: int
    min_expected: float | None = None
    chi_squared: float | None = None
    df: int | None = None
    p_chi_squared: float | None = None
    p_fisher: float | None = None
    test: str = NOT_COMPUTED
    p: float | None = None
    p_adjusted: float | None = None
    cramers_v: float | None = None
    cramers_v_corrected: float | None = None
    reference: str = ""
    odds_ratio: float | None = None
    low: float | None = None
    high: float | None = None
    odds_ratio_exact: float | None = None
    low_exact: float | None = None
    high_exact: float | None = None


@dataclass(frozen=True, eq=False)
class Crosstab:
    """Counts of participants by two variables, of the values that somebody has.

    `reference_row` and `reference_column` are positions of the values that odds ratios are relative to.
    """

    kind: str
    dataset: str
    row_variable: str
    column_variable: str
    row_values: Sequence[str]
    column_values: Sequence[str]
    counts: numpy.ndarray
    reference_row: int
    reference_column: int

    @property
    def keys(self) -> tuple[str, str, str, str]:
        """The first columns of its test."""
        return self.kind, self.dataset, self.row_variable, self.column_variable


def make_crosstabs(episodes: Sequence[EpisodeThemes], demographics: Sequence[Variable]) -> list[Crosstab]:
    """Cross every two demographics of all participants, then each with each theme of the relevant ones."""
    tables = [_cross_pair(first, second) for first, second in combinations(demographics, 2)]
    for episode in episodes:
        for position, theme in enumerate(episode.themes):
            for variable in demographics:
                crossed = episode.cross(variable)[:, :-1]
                counts = numpy.stack([crossed[-1] - crossed[position], crossed[position]], axis=1)
                names = THEME, episode.name, variable.name, theme
                tables.append(_keep_used(names, variable, (NO, YES), counts, numpy.array([1, 0])))
    return tables


def _cross_pair(first: Variable, second: Variable) -> Crosstab:
    shape = first.missing + 1, second.missing + 1
    pairs = numpy.bincount(first.positions * shape[1] + second.positions, minlength=shape[0] * shape[1])
    counts = pairs.reshape(shape)[:-1, :-1]
    return _keep_used((PAIR, "", first.name, second.name), first, second.values, counts, second.counts[:-1])


def _keep_used(
    names: tuple[str, str, str, str],
    rows: Variable,
    column_values: Sequence[str],
    counts: numpy.ndarray,
    column_sizes: numpy.ndarray,
) -> Crosstab:
    """Leave out values that nobody has; the references are the season's most frequent of the rest."""
    own, others = numpy.flatnonzero(counts.sum(axis=1)), numpy.flatnonzero(counts.sum(axis=0))
    return Crosstab(
        *names,
        [rows.values[place] for place in own.tolist()],
        [column_values[place] for place in others.tolist()],
        counts[numpy.ix_(own, others)],
        int(rows.counts[own].argmax()) if len(own) else 0,
        int(column_sizes[others].argmax()) if len(others) else 0,
    )


def list_crosstabs(tables: Sequence[Crosstab]) -> list[CrosstabRow]:
    """List the cells of each table."""
    return [row for table in tables for row in _cells(table)]


def _cells(table: Crosstab) -> Iterator[CrosstabRow]:
    for value, counts in zip(table.row_values, table.counts.tolist(), strict=True):
        base = sum(counts)
        for other, count in zip(table.column_values, counts, strict=True):
            keys = table.kind, table.dataset, table.row_variable, value, table.column_variable, other
            yield CrosstabRow(*keys, count, base, 100 * count / base)


def list_tests(tables: Sequence[Crosstab]) -> list[AssociationTestRow]:
    """Test each table; the tests of an episode, and those of the pairs, are each adjusted as one family."""
    rows = [_test(table) for table in tables]
    adjusted = [
        value
        for _, family in groupby(rows, key=lambda row: row[:2])
        for value in adjust_p_values([row.p for row in family])
    ]
    return [row._replace(p_adjusted=value) for row, value in zip(rows, adjusted, strict=True)]


def _test(table: Crosstab) -> AssociationTestRow:
    counts = table.counts
    n, (height, width) = int(counts.sum()), counts.shape
    row = AssociationTestRow(*table.keys, height, width, n)
    if min(height, width) < 2:
        return row
    expected = numpy.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    chi_squared, df = float(((counts - expected) ** 2 / expected).sum()), (height - 1) * (width - 1)
    row = row._replace(
        min_expected=float(expected.min()),
        chi_squared=chi_squared,
        df=df,
        p_chi_squared=chi_squared_tail(chi_squared, df),
        cramers_v=math.sqrt(chi_squared / (n * min(height - 1, width - 1))),
        cramers_v_corrected=_correct_v(chi_squared, n, height, width),
    )
    if expected.min() >= _LEAST_EXPECTED:
        row = row._replace(test=CHI_SQUARED, p=row.p_chi_squared)
    elif min(height, width) == 2:
        p = fisher_p(counts if height == 2 else counts.T)
        row = row if p is None else row._replace(test=FISHER, p=p, p_fisher=p)
    return _compare_odds(row, table) if height == width == 2 else row


def _correct_v(chi_squared: float, n: int, height: int, width: int) -> float | None:
    """Return Cramér's V without its bias; None for so few participants that it is not defined.

    Source
    ------
    W. Bergsma (2013), A bias-correction for Cramér's V and Tschuprow's T, J. Korean Stat. Soc. 42, 323-328.
    """
    if n < 2:
        return None
    squared = max(0.0, chi_squared / n - (height - 1) * (width - 1) / (n - 1))
    least = min(size - (size - 1) ** 2 / (n - 1) for size in (height, width)) - 1
    return math.sqrt(squared / least) if least > 0 else None


def _compare_odds(row: AssociationTestRow, table: Crosstab) -> AssociationTestRow:
    """Add the odds of the column's other value in the row's other value, against the reference's."""
    first, other = table.reference_row, 1 - table.reference_row
    base, named = table.reference_column, 1 - table.reference_column
    (a, b), (c, d) = ([int(table.counts[place, at]) for at in (named, base)] for place in (other, first))
    reference = table.row_values[first]
    if table.kind == PAIR:
        reference += f";{table.column_values[base]}"
    exact, low_exact, high_exact = conditional_odds_ratio(a, a + b, c + d, a + c)
    row = row._replace(reference=reference, odds_ratio_exact=exact, low_exact=low_exact, high_exact=high_exact)
    if 0 in (a, b, c, d):
        return row
    # B. Woolf (1955), On estimating the relation between blood group and disease, Ann. Hum. Genet. 19, 251-253.
    log_ratio, half = math.log(a * d / (b * c)), NORMAL_95 * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return row._replace(odds_ratio=a * d / (b * c), low=math.exp(log_ratio - half), high=math.exp(log_ratio + half))
