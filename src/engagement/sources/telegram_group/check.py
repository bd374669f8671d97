"""Check sources of Telegram groups: their exports must be there, whole, and of the group."""

from collections.abc import Iterable, Sequence

from engagement.configuration import PipelineConfiguration
from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource
from engagement.foundation.errors import InputError, count_of
from engagement.sources.answer_lengths import AnswerLengths
from engagement.sources.online_check import OnlineCheck
from engagement.sources.telegram_group.export_files import open_exports
from engagement.sources.telegram_group.group_history import GroupHistory
from engagement.sources.telegram_group.model import TelegramGroupSource

PlacedGroup = PlacedSource[TelegramGroupSource]


def find_warnings(sources: Sequence[PlacedGroup], configuration: PipelineConfiguration) -> Iterable[Problem]:
    """Find nothing: a group's settings can't be odd by themselves."""
    return ()


def find_warnings_in_runs(sources: Sequence[PlacedGroup], lengths: AnswerLengths) -> Iterable[Problem]:
    """Find nothing: messages are whole."""
    return ()


def ask(placed: PlacedGroup, check: OnlineCheck) -> None:
    """Read the exports as the fetch does."""
    at, source = placed
    with (
        check.findings.noted(f"{at}.ExportURLs"),
        open_exports(source.export_urls, check.storage) as files,
    ):
        try:
            history = GroupHistory(source, files)
        except InputError as error:
            check.findings.add_errors([Problem(f"{at}.ExportURLs", str(error))])
            return
        if history.unreadable:
            check.findings.add_warnings(
                [
                    Problem(
                        f"{at}.ExportURLs",
                        f"{len(history.unreadable)} of {count_of(history.received, 'message')} can't be read, first "
                        f"{history.unreadable[0].place}: {history.unreadable[0].reason}; expected all. Export the group again.",
                    )
                ]
            )
