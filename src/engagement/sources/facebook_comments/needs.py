"""Needs of a container that asks Facebook."""

from engagement.services.container_needs import ContainerNeeds
from engagement.services.credentials import Credentials
from engagement.sources.facebook_comments.model import FacebookCommentsSource


def add_needs(source: FacebookCommentsSource, needs: ContainerNeeds, credentials: Credentials) -> None:
    """Add the file with the token, and the server."""
    needs.add_file(source.token_file_url, credentials)
    needs.add_host(source.server)
