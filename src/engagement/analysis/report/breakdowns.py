"""Counts and bases of each theme in each group, small cells held back where asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import pandas

from engagement.analysis.charts.codes import name_of
from engagement.analysis.tables.coded_table import CodedTable, Codes, Mask, Numbers
from engagement.analysis.tables.season import Season
from engagement.configuration import CodingConfiguration, ControlCode
from engagement.pipeline.outputs.analysis_files import UID

MISSING, HELD_BACK = -1, -2
_NEW, _RETURNING = 0, 1
_NOT_SHOWN = (ControlCode.STOP, ControlCode.NA, ControlCode.NS)


@dataclass(frozen=True)
class Grouping:
    """A way to divide participants: by the answers of a coding or, without one, new and returning."""

    key: str
    title: str
    groups: Sequence[str]
    coding: CodingConfiguration | None = None


def find_groups(table: CodedTable, coding: CodingConfiguration) -> Numbers:
    """Number each row's group, MISSING without one."""
    values = table.codes(coding).first_values()
    return numpy.where(values < sum(code.is_normal for code in coding.code_scheme.codes), values, MISSING)


def list_groupings(season: Season) -> list[Grouping]:
    """List the season's breakdowns, in the order of the plans."""
    return [
        Grouping(
            str(coding.analysis_file_key), str(coding.analysis_file_key).replace("_", " "),
            [name_of(code) for code in coding.code_scheme.codes if code.is_normal], coding,
        )
        for coding in season.breakdowns
    ]  # fmt: skip


def number_participants(season: Season) -> tuple[Numbers, Numbers]:
    """Number the participants of the rows of individuals, and of those of messages, in one way for both.

    The number is that of the uid's category in the messages; -1 for a participant without a message.
    """
    of_messages = season.messages.column(UID).cat
    of_individuals = season.individuals.column(UID).cat
    numbers = pandas.Index(of_messages.categories).get_indexer(pandas.Index(of_individuals.categories))
    return numbers[of_individuals.codes.to_numpy()], of_messages.codes.to_numpy().astype(numpy.int64)


def find_new(is_new: Mask, participants: Numbers) -> Numbers:
    """Number each row's group of NEW_AND_RETURNING; `is_new` is by the number of a participant."""
    return numpy.where(is_new[participants], _NEW, _RETURNING)


NEW_AND_RETURNING = Grouping(
    "new_and_returning", "new and returning", ["new in this episode", "wrote to an earlier one"]
)


@dataclass(frozen=True)
class ThemeCounts:
    """Counts of an episode's codes by the groups of one grouping, the last of them those without a value.

    `counts` has shape (codes, groups + 1) and `bases` (groups + 1,); a cell that is held back is None.
    """

    counts: Sequence[Sequence[int | None]]
    bases: Sequence[int | None]

    def document(self) -> dict[str, Any]:
        """Return it as the page reads it."""
        return {"n": self.counts, "base": self.bases}


def shown_codes(episode: CodingConfiguration) -> list[int]:
    """Return the places of the codes of people who responded, in the scheme's order."""
    return [p for p, code in enumerate(episode.code_scheme.codes) if code.control_code not in _NOT_SHOWN]


def count_by_group(codes: Codes, groups: Numbers, size: int, shown: Sequence[int], below: int | None) -> ThemeCounts:
    """Count each code in each group; holds back counts under `below` if it is given."""
    places = numpy.where(groups < 0, size, groups)
    pairs = numpy.bincount(places * len(codes.holds) + codes.numbers, minlength=(size + 1) * len(codes.holds))
    counts = (pairs.reshape(size + 1, len(codes.holds)) @ codes.holds[:, list(shown)]).T.tolist()
    bases = numpy.bincount(places[codes.relevant_individual], minlength=size + 1).tolist()
    if below is None:
        return ThemeCounts(counts, bases)
    return ThemeCounts([hold_back(row, below) for row in counts], hold_back(bases, below))


def hold_back_levels(levels: Sequence[ThemeCounts]) -> list[ThemeCounts]:
    """Hold back whole rows of the later breakdowns by one question, where one of them has gaps.

    Regions make up states: a region that is held back would be its state without the other regions. The first breakdown stays.

    >>> [one.counts for one in hold_back_levels([ThemeCounts([[None, None, 9], [4]], []), ThemeCounts([[7, 9], [4]], [])])]
    [[[None, None, 9], [4]], [[None, None], [4]]]
    """
    if len(levels) < 2:
        return list(levels)
    have_gaps = [any(None in row for row in rows) for rows in zip(*(one.counts for one in levels), strict=True)]
    bases_have_gaps = any(None in one.bases for one in levels)
    return [
        levels[0],
        *(
            ThemeCounts(
                [[None] * len(row) if has_gap else row for row, has_gap in zip(one.counts, have_gaps, strict=True)],
                [None] * len(one.bases) if bases_have_gaps else one.bases,
            )
            for one in levels[1:]
        ),
    ]


def hold_back(counts: Sequence[int], below: int) -> list[int | None]:
    """Hold back small counts, and the next larger one if it could be had by subtraction from the total.

    Zeros go with a small count that has no other beside it: the total would tell which group it is of.

    >>> hold_back([3, 40, 25, 0], 10), hold_back([3, 4, 25], 10), hold_back([12, 40], 10), hold_back([3, 0], 10)
    ([None, 40, None, 0], [None, None, None], [12, 40], [None, None])
    """
    small = {place for place, count in enumerate(counts) if 0 < count < below}
    if small and sum(counts[place] for place in small) < below or len(small) == 1:
        others = [place for place, count in enumerate(counts) if count >= below]
        if others:
            small.add(min(others, key=counts.__getitem__))
        elif len(small) == 1:
            return [None] * len(counts)
    return [None if place in small else count for place, count in enumerate(counts)]
