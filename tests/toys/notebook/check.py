"""Find what is odd in notebooks, and ask whether their pages are there."""

from collections.abc import Iterable, Iterator, Sequence

from engagement.configuration import PipelineConfiguration
from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource
from engagement.sources.answer_lengths import AnswerLengths
from engagement.sources.online_check import OnlineCheck

from .model import NotebookSource

PlacedNotebook = PlacedSource[NotebookSource]


def find_warnings(sources: Sequence[PlacedNotebook], configuration: PipelineConfiguration) -> Iterator[Problem]:
    """Find notebooks without a page."""
    for at, source in sources:
        if not source.pages:
            yield Problem(at, "no page; expected one. Add it to EpisodePages, or remove the notebook.")


def find_warnings_in_runs(sources: Sequence[PlacedNotebook], lengths: AnswerLengths) -> Iterable[Problem]:
    """Find nothing: what is in a notebook is whole."""
    return ()


def ask(placed: PlacedNotebook, check: OnlineCheck) -> None:
    """Ask for each page."""
    for (place, _), url in zip(placed.source.placed_flows(), placed.source.pages, strict=True):
        at = f"{placed.at}.{place}"
        with check.findings.noted(at):
            if not check.storage.has_object(url):
                check.findings.add_errors([Problem(at, "the page is not there; expected it. Write it.")])
