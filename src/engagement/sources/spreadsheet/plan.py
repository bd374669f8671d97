"""Plan the reading of spreadsheets."""

from collections.abc import Iterator

from engagement.foundation.errors import ConfigurationError
from engagement.sources.plan_context import SourcePlanContext
from engagement.sources.spreadsheet.files import TableFiles
from engagement.sources.spreadsheet.model import SpreadsheetSource, SpreadsheetTable


def plan_fetch(source: SpreadsheetSource, context: SourcePlanContext) -> Iterator[str]:
    """Name the files of each table; they are read again if one of them changed."""
    files = TableFiles(source, context.storage, context.policy)
    for table in source.forms:
        told = ["could not find out which files are there"]
        with context.asking():
            told = list(_plan_table(table, files, context))
        yield from (f"flow {table.flow_name!r}: {line}" for line in told)


def _plan_table(table: SpreadsheetTable, files: TableFiles, context: SourcePlanContext) -> Iterator[str]:
    try:
        urls = files.find(table.urls)
        if table.phone_number_column is not None:
            files.refuse_numbers_in_data_root(urls, context.data_root)
    except ConfigurationError as error:
        yield f"REFUSED: {error}"
        return
    for url in urls:
        yield f"{url}: {'read if it changed' if files.has(url) else 'NOT THERE'}"
