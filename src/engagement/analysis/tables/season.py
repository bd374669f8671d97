"""All data of a season: what stage 3 left for the analysis, and the tables made from it.

Charts, maps and the report read nothing else. Each table is built on first use. Participants who withdrew consent
appear only as two numbers in the funnel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from engagement.analysis.tables import (
    data_quality,
    distributions,
    engagement_counts,
    message_samples,
    shares,
    traffic,
)
from engagement.analysis.tables.coded_table import CodedTable
from engagement.analysis.tables.rare_participants import tell_of_writers
from engagement.analysis.tables.survey_plans import find_survey_plans
from engagement.analysis.tables.values import Basis, Layer, Value, find_layers, split_counts, summarise
from engagement.configuration import CodingConfiguration, CodingPlan, PlanKind, Project
from engagement.configuration.pipeline_configuration import AutomatedAnalysis
from engagement.foundation.errors import InputError
from engagement.pipeline.outputs.analysis_files import (
    Funnel,
    SourceRun,
    analysis_folder,
    individuals_path,
    messages_path,
    read_season,
)

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, eq=False)
class Season:
    """One project's coded messages and participants, and counts of those left out.

    `messages` has one row for each message and `individuals` one for each participant; see CodedTable for their columns
    and for counting codes. Configurations and plans are those of `project.coding_plans`.
    """

    project: Project
    source: SourceRun
    funnel: Funnel
    messages: CodedTable
    individuals: CodedTable
    settings: AutomatedAnalysis = field(init=False)
    _layers: dict[str, tuple[Layer, ...]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", self.project.configuration.automated_analysis or AutomatedAnalysis())

    @property
    def time_zone(self) -> ZoneInfo:
        """The project's time zone, in which weeks begin."""
        return self.project.configuration.time_zone

    @property
    def small_count_threshold(self) -> int:
        """Smaller counts are marked as small."""
        return self.project.configuration.small_count_threshold

    @cached_property
    def episodes(self) -> tuple[tuple[CodingPlan, CodingConfiguration], ...]:
        """The codings of episodes that have an AnalysisFileKey, with their plans, in order."""
        return _codings_with_key(self.project.coding_plans.rqa)

    @cached_property
    def demographics(self) -> tuple[CodingConfiguration, ...]:
        """Tabulated codings of demographic plans, then of where messages came from."""
        return distributions.tabulated(plan for plan in self._survey if plan.kind is PlanKind.DEMOGRAPHIC)

    @cached_property
    def _survey(self) -> tuple[CodingPlan, ...]:
        """Plans of what is known of participants, those of origins and listening groups among them."""
        return find_survey_plans(self.project, (self.messages, self.individuals))

    @cached_property
    def breakdowns(self) -> tuple[CodingConfiguration, ...]:
        """Codings that break down themes: of demographic, then of follow-up plans, then listening groups."""
        return distributions.tabulated(self._survey)

    @cached_property
    def _episode_codings(self) -> tuple[CodingConfiguration, ...]:
        return tuple(configuration for _, configuration in self.episodes)

    @cached_property
    def engagement_counts(self) -> pandas.DataFrame:
        """The columns of engagement_counts.csv: a row for each episode, then "Total".

        Numbers are int, "-" if there is none.
        """
        return engagement_counts.count_engagement(
            self.messages,
            self.individuals,
            self._episode_codings,
            self.funnel.withdrawn_messages,
            self.funnel.withdrawn_participants,
        )

    @cached_property
    def demographic_distributions(self) -> pandas.DataFrame:
        """The columns of demographic_distributions.csv.

        Dataset stands on its first row only; counts are int, percentages text.
        """
        return distributions.tabulate_distributions(self.individuals, self.demographics, ())

    @cached_property
    def theme_distributions(self) -> pandas.DataFrame:
        """The columns of theme_distributions.csv, two for each breakdown code; counts int, percentages text."""
        return distributions.tabulate_distributions(
            self.individuals, distributions.tabulated(self.project.coding_plans.rqa), self.breakdowns
        )

    @cached_property
    def repeat_participations(self) -> pandas.DataFrame:
        """The columns of repeat_participations.csv: a row for each number of episodes."""
        return engagement_counts.count_repeat_participations(self.individuals, self._episode_codings)

    @cached_property
    def weekly_traffic(self) -> pandas.DataFrame:
        """A row for each ISO week from the first message to the last, including empty weeks.

        Columns Week ("2026-W14"), Start Date ("2026-03-30", its Monday), Total Messages with Opt-Ins, Total Labelled
        Messages, Total Relevant Messages (int).
        """
        return traffic.count_by_week(self.messages, self._episode_codings, self.time_zone)

    @cached_property
    def traffic(self) -> pandas.DataFrame:
        """A row for each configured range.

        Columns Start Date, End Date (ISO 8601), Label, then the numbers of `weekly_traffic`.
        """
        return traffic.count_by_label(self.messages, self._episode_codings, self.settings.traffic_labels)

    @cached_property
    def traffic_outside(self) -> dict[str, int]:
        """The numbers of `traffic` for messages in none of the ranges."""
        return traffic.count_outside(self.messages, self._episode_codings, self.settings.traffic_labels)

    @cached_property
    def made_at(self) -> datetime:
        """Start time of the stage 3 run; the outputs contain nothing sent later."""
        return datetime.fromisoformat(self.source.timestamp)

    def is_over(self, end: datetime) -> bool:
        """Tell whether a time range was over when the outputs were made; if not, more messages may come."""
        return min(end, self.project.configuration.project_end_date) <= self.made_at

    @cached_property
    def weeks_over(self) -> tuple[bool, ...]:
        """For each week of `weekly_traffic`, whether it was over."""
        mondays = (datetime.fromisoformat(day) for day in self.weekly_traffic["Start Date"])
        return tuple(self.is_over((monday + timedelta(days=7)).replace(tzinfo=self.time_zone)) for monday in mondays)

    @cached_property
    def ranges_over(self) -> tuple[bool, ...]:
        """For each range of `traffic`, whether it was over."""
        return tuple(self.is_over(label.end_date) for label in self.settings.traffic_labels)

    @cached_property
    def sample_messages(self) -> pandas.DataFrame:
        """Columns Episode, Code Scheme, Code, Message, Gender, Age Category, Region.

        A stable sample of distinct texts for each code, as participants wrote them.
        """
        limit = 100 if self.settings.sample_messages is None else self.settings.sample_messages.limit_per_code
        table, uids = message_samples.sample_messages(self.messages, self.episodes, limit)
        told = tell_of_writers(self.project, self.individuals, self.breakdowns, uids)
        return table.assign(**told)

    @cached_property
    def impact_messages(self) -> pandas.DataFrame:
        """Columns Episode, Code Scheme, Code, Message: every labelled message with one of ImpactMessageCodes."""
        return message_samples.list_messages(self.messages, self.episodes, self.settings.impact_message_codes)

    @cached_property
    def coding_progress(self) -> pandas.DataFrame:
        """One row for each dataset in Coda.

        Columns Dataset, Answers, Empty Answers, Distinct Texts, Labelled Texts (int), Labelled % (text).
        """
        return data_quality.measure_coding_progress(self.messages, self.project.coding_plans.all)

    @cached_property
    def coding_errors(self) -> pandas.DataFrame:
        """Dataset, Message ID, Reason of texts with the code CE.

        Reason is "wrong scheme" or "contradicting codes".
        """
        return data_quality.list_coding_errors(self.messages, self.project.coding_plans.all, self.funnel.contradictions)

    @cached_property
    def texts_with_phone_numbers(self) -> pandas.DataFrame:
        """Dataset and Message ID of texts that seem to contain a phone number."""
        return data_quality.list_texts_with_phone_numbers(self.messages, self.project.coding_plans.all)

    def count_codes(self, configuration: CodingConfiguration) -> pandas.Series:
        """Count participants with each code, indexed by StringValue in the scheme's order."""
        return self.individuals.count_codes(configuration)

    @cached_property
    def questions(self) -> tuple[tuple[CodingPlan, CodingConfiguration], ...]:
        """Codings of surveys, then listening groups, that have an AnalysisFileKey, with their plans."""
        return _codings_with_key(self._survey)

    @cached_property
    def share_intervals(self) -> pandas.DataFrame:
        """The columns of share_intervals.csv: counts and bases int, percentages text."""
        tabulated = [(plan, coding) for plan, coding in self.questions if coding.include_in_theme_distribution]
        return shares.tabulate_shares(
            self.individuals,
            distributions.tabulated(self.project.coding_plans.rqa),
            tabulated,
            self.repeat_participations["Number of Participants with Opt-Ins"].tolist(),
            self.layers,
            self.small_count_threshold,
        )

    @cached_property
    def value_origins(self) -> pandas.DataFrame:
        """The columns of value_origins.csv: each value of each question by origin."""
        return shares.list_value_origins(self.individuals, self.questions, self.layers)

    def plan_of(self, coding: CodingConfiguration) -> CodingPlan:
        """Return the plan of a coding."""
        return next(
            plan
            for plan in (*self.project.coding_plans.rqa, *self._survey)
            if any(one.coded_field == coding.coded_field for one in plan.coding_configurations)
        )

    def layers(self, coding: CodingConfiguration) -> tuple[Layer, ...]:
        """Return the participants whose code of a coding is not an answer."""
        if coding.coded_field not in self._layers:
            self._layers[coding.coded_field] = find_layers(self.individuals, self.plan_of(coding), coding)
        return self._layers[coding.coded_field]

    def values(self, coding: CodingConfiguration) -> list[Value]:
        """Count participants with each code, in the scheme's order, separating codes that are not answers."""
        return shares.count_values(self.individuals, coding, self.layers(coding))

    def basis(self, coding: CodingConfiguration) -> Basis:
        """Count participants with a known value of a coding."""
        return summarise(self.plan_of(coding), self.individuals.codes(coding), self.layers(coding))

    def values_by_code(self, first: CodingConfiguration, second: CodingConfiguration) -> list[list[Value]]:
        """Return, for each code of `first`, the values of `second` among participants with that code."""
        codes, other = self.individuals.codes(first), self.individuals.codes(second)
        counts = self.individuals.cross(first, second).tolist()
        apart = [(layer, codes.cross(other, layer.rows).tolist()) for layer in self.layers(second)]
        return [
            split_counts(second.code_scheme.codes, row, [(layer, table[number]) for layer, table in apart])
            for number, row in enumerate(counts)
        ]

    def cross_tabulate(self, first: CodingConfiguration, second: CodingConfiguration) -> pandas.DataFrame:
        """Count participants with each pair of codes of `first` and `second`, by StringValues."""
        return self.individuals.cross_tabulate(first, second)


def _codings_with_key(plans: Iterable[CodingPlan]) -> tuple[tuple[CodingPlan, CodingConfiguration], ...]:
    return tuple(
        (plan, coding)
        for plan in plans
        for coding in plan.coding_configurations
        if coding.analysis_file_key is not None
    )


def load_season(project: Project, data_root: Path) -> Season:
    """Read what stage 3 left for the analysis; columns of tables are read on first use.

    Raises
    ------
    InputError
        The file is missing, has another version, or was made before coding.
    """
    source, funnel = read_season(data_root)
    if not source.is_coded:
        raise InputError(
            f"{data_root}: Outputs/ was made with --mode {source.mode!r}; expected 'all-stages', as only coded messages "
            "can be analysed. Run stage 3 in that mode and this again."
        )
    folder = analysis_folder(data_root)
    return Season(project, source, funnel, CodedTable(messages_path(folder)), CodedTable(individuals_path(folder)))
