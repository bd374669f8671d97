"""Needs of a container that reads spreadsheets."""

from engagement.configuration.drive_links import drive_id_of
from engagement.services.container_needs import ContainerNeeds
from engagement.services.credentials import Credentials
from engagement.sources.spreadsheet.model import SpreadsheetSource


def add_needs(source: SpreadsheetSource, needs: ContainerNeeds, credentials: Credentials) -> None:
    """Add each file or folder, wherever it lies, and Drive's key."""
    for url in source.urls:
        if drive_id_of(url) is None:
            needs.add_file(url, credentials)
    if source.drive_credentials_file_url is not None:
        needs.add_service(source.drive_credentials_file_url, credentials)
