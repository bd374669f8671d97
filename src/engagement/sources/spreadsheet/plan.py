"""Plan the reading of spreadsheets."""

from collections.abc import Iterator

from engagement.foundation.errors import ConfigurationError
from engagement.sources.plan_context import SourcePlanContext
from engagement.sources.spreadsheet.files import list_files, refuse_numbers_in_data_root
from engagement.sources.spreadsheet.model import SpreadsheetSource


def plan_fetch(source: SpreadsheetSource, context: SourcePlanContext) -> Iterator[str]:
    """Name the files of each table; they are read again if one of them changed."""
    for table in source.forms:
        with context.asking():
            try:
                urls = list_files(table.urls, context.storage)
                if table.phone_number_column is not None:
                    refuse_numbers_in_data_root(urls, context.storage, context.data_root)
            except ConfigurationError as error:
                yield f"flow {table.flow_name!r}: REFUSED: {error}"
                continue
            for url in urls:
                found = "read if it changed" if context.storage.has_object(url) else "NOT THERE"
                yield f"flow {table.flow_name!r}: {url}: {found}"
