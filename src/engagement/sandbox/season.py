"""The season's calendar: three episodes, two surveys, and each round's end. All times are UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ROUND_ZERO_ENDS = datetime(2026, 10, 12, tzinfo=UTC)
LAST_ROUND = 19
LIVE_PERIOD = timedelta(days=50)


@dataclass(frozen=True)
class InventedFlow:
    """A flow of the workspace; `results` are the keys of its questions, in order."""

    name: str
    results: tuple[str, ...]
    expires_after: timedelta
    created_on: datetime


@dataclass(frozen=True)
class InventedEpisode:
    """A radio programme with a question; `weight` is the share of the audience who write in after it."""

    dataset: str
    aired_on: datetime
    weight: float


EPISODES = (
    InventedEpisode("s01e01", datetime(2026, 8, 5, 15, tzinfo=UTC), 0.62),
    InventedEpisode("s01e02", datetime(2026, 8, 26, 15, tzinfo=UTC), 0.5),
    InventedEpisode("s01e03", datetime(2026, 9, 16, 15, tzinfo=UTC), 0.5),
    InventedEpisode("s01e03", datetime(2026, 10, 10, 15, tzinfo=UTC), 0.45),  # the repeat
)
DEMOGRAPHIC_FIELDS = ("gender", "age", "location", "household_language", "recently_displaced")
EVALUATION_FIELDS = ("show_helpful",)
EVALUATION_OPENS = datetime(2026, 9, 28, 7, tzinfo=UTC)


def activation_flow(dataset: str) -> str:
    """Name the flow that receives the answers to an episode.

    >>> activation_flow("s01e01")
    'demo_s01e01_activation'
    """
    return f"demo_{dataset}_activation"


DEMOGRAPHICS_FLOW = "demo_s01_demographics"
EVALUATION_FLOW = "demo_s01_evaluation"
FLOWS = (
    *(
        InventedFlow(
            activation_flow(dataset), (f"rqa_{dataset}",), timedelta(days=7), datetime(2026, 6, 1, 8, tzinfo=UTC)
        )
        for dataset in ("s01e01", "s01e02", "s01e03")
    ),
    InventedFlow(DEMOGRAPHICS_FLOW, DEMOGRAPHIC_FIELDS, timedelta(days=30), datetime(2026, 6, 2, 8, tzinfo=UTC)),
    InventedFlow(
        EVALUATION_FLOW, EVALUATION_FIELDS, timedelta(days=30), datetime(2026, 9, 1, 8, 30, 0, 250000, tzinfo=UTC)
    ),
    InventedFlow("demo_welcome", (), timedelta(days=7), datetime(2026, 5, 4, 8, tzinfo=UTC)),
)
FLOWS_BY_NAME = {flow.name: flow for flow in FLOWS}


def end_of_round(round_number: int) -> datetime:
    """Return a round's point in time: round 0 covers most of the season, each later round adds a day.

    The season ends with round 19; later rounds show the same.

    Raises
    ------
    ValueError
        The round is negative.
    """
    if round_number < 0:
        raise ValueError(f"round {round_number} is negative")
    return ROUND_ZERO_ENDS + timedelta(days=min(round_number, LAST_ROUND))


def live_since(now: datetime) -> datetime:
    """Return the midnight before which finished runs are only in archives."""
    return (now - LIVE_PERIOD).replace(hour=0, minute=0, second=0, microsecond=0)
