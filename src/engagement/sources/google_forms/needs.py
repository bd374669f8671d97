"""Needs of a container that reads Google Forms."""

from engagement.services.container_needs import ContainerNeeds
from engagement.services.credentials import Credentials
from engagement.sources.google_forms.model import GoogleFormsSource


def add_needs(source: GoogleFormsSource, needs: ContainerNeeds, credentials: Credentials) -> None:
    """Add the service account's key, and Google."""
    needs.add_service(source.credentials_file_url, credentials)
