"""Check spreadsheets: their settings, and with --online their files and columns."""

from collections.abc import Iterable, Iterator, Sequence

from engagement.configuration import PipelineConfiguration
from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource
from engagement.foundation.errors import InputError
from engagement.sources.answer_lengths import AnswerLengths
from engagement.sources.online_check import OnlineCheck
from engagement.sources.spreadsheet.files import TableFiles
from engagement.sources.spreadsheet.model import SpreadsheetSource
from engagement.sources.spreadsheet.rows import open_table, text_columns, wanted_columns

PlacedSpreadsheet = PlacedSource[SpreadsheetSource]


def find_warnings(sources: Sequence[PlacedSpreadsheet], configuration: PipelineConfiguration) -> Iterator[Problem]:
    """Find tables with phone numbers whose country is not known."""
    for at, source in sources:
        if source.country is None and any(table.phone_number_column is not None for table in source.forms):
            yield Problem(
                f"{at}.Country",
                "is missing, so that rows with a number without its country's code, like 0712 000001, are set aside; expected the country "
                "of the numbers, like 'KE'. Add it.",
            )


def find_warnings_in_runs(sources: Sequence[PlacedSpreadsheet], lengths: AnswerLengths) -> Iterable[Problem]:
    """Find nothing: answers in spreadsheets are whole."""
    return ()


def ask(placed: PlacedSpreadsheet, check: OnlineCheck) -> None:
    """Open each file, and look for the configured columns."""
    at, source = placed
    files = TableFiles(source, check.storage, check.policy)
    for number, table in enumerate(source.forms):
        place = f"{at}.Tables[{number}].URLs"
        wanted = wanted_columns(table, text_columns(table, source.survey_questions))
        with check.findings.noted(place):
            for url in files.find(table.urls):
                try:
                    open_table(files.read_bytes(url), url, wanted, table)
                except InputError as error:
                    check.findings.add_errors([Problem(place, str(error))])
