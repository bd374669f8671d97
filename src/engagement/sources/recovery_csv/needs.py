"""Needs of a container that fetches recovery CSVs."""

from engagement.services.container_needs import ContainerNeeds
from engagement.services.credentials import Credentials
from engagement.sources.recovery_csv.model import RecoveryCSVSource


def add_needs(source: RecoveryCSVSource, needs: ContainerNeeds, credentials: Credentials) -> None:
    """Add each file, wherever it lies."""
    for url in source.flow_urls:
        needs.add_file(url, credentials)
