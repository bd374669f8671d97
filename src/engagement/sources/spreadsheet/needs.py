"""Needs of a container that reads spreadsheets."""

from engagement.services.container_needs import ContainerNeeds
from engagement.services.credentials import Credentials
from engagement.sources.spreadsheet.model import SpreadsheetSource


def add_needs(source: SpreadsheetSource, needs: ContainerNeeds, credentials: Credentials) -> None:
    """Add each file or folder, wherever it lies."""
    for url in source.urls:
        needs.add_file(url, credentials)
