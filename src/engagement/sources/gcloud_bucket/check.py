"""Check that the files of TracedData sources exist."""

from collections.abc import Iterable, Sequence

from engagement.configuration import PipelineConfiguration
from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource
from engagement.sources.answer_lengths import AnswerLengths
from engagement.sources.gcloud_bucket.model import GCloudBucketSource
from engagement.sources.online_check import OnlineCheck, ask_for_files

PlacedBucket = PlacedSource[GCloudBucketSource]


def find_warnings(sources: Sequence[PlacedBucket], configuration: PipelineConfiguration) -> Iterable[Problem]:
    """Find nothing: an address alone can't be odd."""
    return ()


def find_warnings_in_runs(sources: Sequence[PlacedBucket], lengths: AnswerLengths) -> Iterable[Problem]:
    """Find nothing: the other pipeline is responsible for the texts."""
    return ()


def ask(placed: PlacedBucket, check: OnlineCheck) -> None:
    """Check that the files exist."""
    ask_for_files(placed.at, placed.source, check)
