"""Check sources of recovery CSVs: their keys must differ, and their files must exist."""

from collections.abc import Iterable, Iterator, Sequence

from engagement.configuration import PipelineConfiguration
from engagement.configuration.problems import Problem
from engagement.configuration.raw_keys import RecoveredKeyNames
from engagement.configuration.source_model import PlacedSource
from engagement.sources.answer_lengths import AnswerLengths
from engagement.sources.online_check import OnlineCheck, ask_for_files
from engagement.sources.recovery_csv.model import RecoveryCSVSource

PlacedRecovery = PlacedSource[RecoveryCSVSource]


def find_warnings(sources: Sequence[PlacedRecovery], configuration: PipelineConfiguration) -> Iterator[Problem]:
    """Find files with answers about participants that share keys with files of answers to episodes."""
    episodes: dict[RecoveredKeyNames, str] = {}
    for at, source in sources:
        if source.activation_flow_urls:
            episodes.setdefault(source.recovered_keys, f"{at}.ActivationFlowURLs")
    for at, source in sources:
        place = episodes.get(source.recovered_keys)
        if source.survey_flow_urls and place is not None:
            yield Problem(
                f"{at}.SurveyFlowURLs",
                f"these files have the keys {', '.join(map(repr, source.recovered_keys))}, as those of {place} have, so that "
                "answers about participants count as answers to episodes; expected keys of their own. Make it a source with "
                "Keys.",
            )


def find_warnings_in_runs(sources: Sequence[PlacedRecovery], lengths: AnswerLengths) -> Iterable[Problem]:
    """Find nothing: recovered messages are whole."""
    return ()


def ask(placed: PlacedRecovery, check: OnlineCheck) -> None:
    """Check that the files exist."""
    ask_for_files(placed.at, placed.source, check)
