"""The desk's side of an online check: the services to ask, and the notes of the findings."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from engagement.configuration.problems import Problem
from engagement.configuration.remappings import RapidProKeyRemapping
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage
from engagement.sources.stored_files import StoredFilesSource


class NotedFindings(Protocol):
    """Findings in the pipeline configuration."""

    def add_errors(self, problems: Iterable[Problem]) -> None:
        """Note an error."""

    def add_warnings(self, problems: Iterable[Problem]) -> None:
        """Note an oddity."""

    def noted(self, at: str) -> AbstractContextManager[None]:
        """Note the outcome of a question, at a JSON path, and go on after the block."""


@dataclass(frozen=True)
class OnlineCheck:
    """The services to ask, and the remappings that read their answers."""

    storage: Storage
    policy: RetryPolicy
    remappings: Sequence[RapidProKeyRemapping]
    findings: NotedFindings


def ask_for_files(at: str, source: StoredFilesSource, check: OnlineCheck) -> None:
    """Check that each file of a source exists."""
    for (place, _), url in zip(source.placed_flows(), source.flow_urls, strict=True):
        with check.findings.noted(f"{at}.{place}"):
            if not check.storage.has_object(url):
                problem = Problem(f"{at}.{place}", f"{url} is not there; expected a file. Check the address.")
                check.findings.add_errors([problem])
