"""What a container that reads a notebook needs."""

from engagement.services.container_needs import ContainerNeeds
from engagement.services.credentials import Credentials

from .model import NotebookSource


def add_needs(source: NotebookSource, needs: ContainerNeeds, credentials: Credentials) -> None:
    """Each page, wherever it lies."""
    for url in source.pages:
        needs.add_file(url, credentials)
