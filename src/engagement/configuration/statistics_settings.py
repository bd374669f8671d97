"""What a project asks of the statistics for publication."""

from engagement.configuration.model import Model, key
from engagement.configuration.value_types import Text


class StatisticsSettings(Model):
    """What the statistics contain besides the shares, tests and participation of every project."""

    broadcast_calendar_file: Text | None = key(
        "BroadcastCalendarFile",
        "CSV of broadcasts and adverts, with the columns Start, Kind, Episode, Station; relative to this file",
        "broadcast_calendar.csv",
        None,
    )
    predictors: tuple[Text, ...] = key(
        "Predictors",
        "AnalysisFileKeys of the demographics that explain themes in logistic regressions; none without",
        ["gender", "age_category"],
        (),
    )
    minimum_yes: int = key("MinimumYes", "participants that a theme needs for a regression", 20, 20, ge=1)
    population_margins_file: Text | None = key(
        "PopulationMarginsFile",
        "CSV of a population's shares to weight to, with the columns variable, value, share; relative to this file",
        "population_margins.csv",
        None,
    )
