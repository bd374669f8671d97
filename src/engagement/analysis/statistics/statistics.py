"""The statistics of a season: each table is made on first use, for the files and for the report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from engagement.analysis.statistics.associations import (
    AssociationTestRow,
    Crosstab,
    CrosstabRow,
    list_crosstabs,
    list_tests,
    make_crosstabs,
)
from engagement.analysis.statistics.shares import ShareRow, list_shares
from engagement.analysis.statistics.variables import EpisodeThemes, Variable, find_demographics, find_episodes
from engagement.analysis.tables.season import Season


@dataclass(frozen=True, eq=False)
class Statistics:
    """The tables of Outputs/Automated Analysis/statistics/, as rows."""

    season: Season

    @cached_property
    def episodes(self) -> tuple[EpisodeThemes, ...]:
        """The datasets of themes, in order."""
        return find_episodes(self.season)

    @cached_property
    def demographics(self) -> tuple[Variable, ...]:
        """The variables that break down themes, in order."""
        return find_demographics(self.season)

    @cached_property
    def shares(self) -> list[ShareRow]:
        """The rows of shares.csv."""
        return list_shares(self.episodes, self.demographics, self.season.small_count_threshold)

    @cached_property
    def _crossed(self) -> list[Crosstab]:
        return make_crosstabs(self.episodes, self.demographics)

    @cached_property
    def crosstabs(self) -> list[CrosstabRow]:
        """The rows of crosstabs.csv."""
        return list_crosstabs(self._crossed)

    @cached_property
    def tests(self) -> list[AssociationTestRow]:
        """The rows of tests.csv."""
        return list_tests(self._crossed)
