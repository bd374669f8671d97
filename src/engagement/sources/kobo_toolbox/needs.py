"""Needs of a container that asks a KoboToolbox server."""

from engagement.services.container_needs import ContainerNeeds
from engagement.services.credentials import Credentials
from engagement.sources.kobo_toolbox.model import KoboToolboxSource


def add_needs(source: KoboToolboxSource, needs: ContainerNeeds, credentials: Credentials) -> None:
    """Add the file with the token, and the server."""
    needs.add_file(source.token_file_url, credentials)
    needs.add_host(source.server)
