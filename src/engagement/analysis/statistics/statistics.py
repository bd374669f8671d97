"""The statistics of a season: each table is made on first use, for the files and for the report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engagement.analysis.statistics.agreement import (
    AgreementRow,
    AgreementWeekRow,
    list_agreement,
    list_agreement_by_week,
)
from engagement.analysis.statistics.associations import (
    AssociationTestRow,
    Crosstab,
    CrosstabRow,
    list_crosstabs,
    list_tests,
    make_crosstabs,
)
from engagement.analysis.statistics.given_files import BroadcastEvent, read_calendar, read_margins
from engagement.analysis.statistics.imputed_regression import list_imputed_regressions
from engagement.analysis.statistics.participation import (
    DayRow,
    EventRow,
    NewAndReturningRow,
    Participation,
    RetentionRow,
    participation_of,
)
from engagement.analysis.statistics.regression import RegressionRow, list_regressions
from engagement.analysis.statistics.shares import ShareRow, list_shares
from engagement.analysis.statistics.variables import EpisodeThemes, Variable, find_episodes, read_demographics
from engagement.analysis.statistics.weighting import WeightedShareRow, list_weighted_shares, rake
from engagement.analysis.tables.season import Season
from engagement.configuration.statistics_checks import find_margin_values
from engagement.configuration.statistics_settings import StatisticsSettings


@dataclass(frozen=True, eq=False)
class Statistics:
    """The tables of statistics/, as rows; without a data root there are none of agreement."""

    season: Season
    data_root: Path | None = None

    @cached_property
    def episodes(self) -> tuple[EpisodeThemes, ...]:
        """The datasets of themes, in order."""
        return find_episodes(self.season)

    @cached_property
    def demographics(self) -> tuple[Variable, ...]:
        """The variables that break down themes, in order."""
        return read_demographics(self.season)

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

    @property
    def settings(self) -> StatisticsSettings:
        """What the project asked for."""
        return self.season.settings.statistics

    @cached_property
    def _participation(self) -> Participation:
        return participation_of(self.season)

    @cached_property
    def events(self) -> tuple[BroadcastEvent, ...]:
        """The project's calendar of broadcasts; none without a file."""
        name = self.settings.broadcast_calendar_file
        return () if name is None else read_calendar(self.season.project.path.parent / name)

    @cached_property
    def new_and_returning(self) -> list[NewAndReturningRow]:
        """The rows of new_and_returning.csv."""
        return self._participation.list_new_and_returning()

    @cached_property
    def retention(self) -> list[RetentionRow]:
        """The rows of retention.csv."""
        return self._participation.list_retention()

    @cached_property
    def traffic_per_day(self) -> list[DayRow]:
        """The rows of traffic_per_day.csv."""
        return self._participation.list_days(self.events)

    @cached_property
    def traffic_per_event(self) -> list[EventRow]:
        """The rows of traffic_per_event.csv."""
        return self._participation.list_events(self.events)

    @cached_property
    def regressions(self) -> list[RegressionRow]:
        """The rows of regression.csv; none without Predictors."""
        by_name = {variable.name: variable for variable in self.demographics}
        predictors = [by_name[name] for name in self.settings.predictors]
        if not predictors:
            return []
        asked = self.episodes, predictors, self.settings.minimum_yes
        return [*list_regressions(*asked), *list_imputed_regressions(*asked)]

    @cached_property
    def weighted_shares(self) -> list[WeightedShareRow]:
        """The rows of weighted_shares.csv; none without PopulationMarginsFile."""
        if self.settings.population_margins_file is None:
            return []
        path = self.season.project.path.parent / self.settings.population_margins_file
        configuration = self.season.project.configuration
        margins = read_margins(path, find_margin_values(configuration, self.season.project.coding_plans))
        weights = rake([variable for variable in self.demographics if variable.name in margins], margins)
        return list_weighted_shares(self.episodes, weights)

    @cached_property
    def agreement(self) -> list[AgreementRow]:
        """The rows of agreement.csv; none before icr kept a result."""
        return [] if self.data_root is None else list_agreement(self.season, self.data_root)

    @cached_property
    def agreement_by_week(self) -> list[AgreementWeekRow]:
        """The rows of agreement_by_week.csv; none without DoubleCoding, or before somebody labelled twice."""
        return [] if self.data_root is None else list_agreement_by_week(self.season, self.data_root)
