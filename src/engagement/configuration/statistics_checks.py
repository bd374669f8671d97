"""Checks of the settings of the statistics against the coding plans."""

from collections.abc import Iterator

from engagement.configuration.coding_plans import CodingConfiguration, CodingMode, CodingPlans
from engagement.configuration.nearest import nearest
from engagement.configuration.origin_plans import NOT_KNOWN, find_known_values
from engagement.configuration.pipeline_configuration import PipelineConfiguration
from engagement.configuration.problems import Problem


def find_demographics(plans: CodingPlans) -> tuple[CodingConfiguration, ...]:
    """Return SINGLE codings with distributions: of demographic plans, then of follow-up plans."""
    return tuple(
        coding
        for plan in plans.survey
        for coding in plan.coding_configurations
        if coding.coding_mode is CodingMode.SINGLE
        and coding.include_in_theme_distribution
        and coding.analysis_file_key is not None
    )


def find_margin_values(configuration: PipelineConfiguration, plans: CodingPlans) -> dict[str, tuple[str, ...] | None]:
    """List the values of each variable to weight participants by; None of one that may have any."""
    values: dict[str, tuple[str, ...] | None] = {
        str(coding.analysis_file_key): tuple(code.string_value for code in coding.code_scheme.codes if code.is_normal)
        for coding in find_demographics(plans)
    }
    types = [source.source_type for source in configuration.raw_data_sources]
    for column in configuration.origin_columns:
        known = find_known_values(column, types)
        values[column] = None if known is None else tuple(value for value in known if value != NOT_KNOWN)
    return values


def find_statistics_problems(configuration: PipelineConfiguration, plans: CodingPlans) -> Iterator[Problem]:
    """Find predictors that are there twice, or are no demographic with one value a participant."""
    if configuration.automated_analysis is None:
        return
    known = [*(str(coding.analysis_file_key) for coding in find_demographics(plans)), *configuration.origin_columns]
    predictors = configuration.automated_analysis.statistics.predictors
    for position, name in enumerate(predictors):
        at = f"$.AutomatedAnalysis.Statistics.Predictors[{position}]"
        if name not in known:
            yield Problem(
                at,
                f"{name!r}; expected the AnalysisFileKey of a SINGLE coding with IncludeInThemeDistribution{nearest(name, known)} Change it.",
            )
        elif name in predictors[:position]:
            yield Problem(at, f"{name!r} is there twice; expected it once. Remove one.")
