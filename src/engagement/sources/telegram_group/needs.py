"""Needs of a container that reads exports of a Telegram group."""

from engagement.services.container_needs import ContainerNeeds
from engagement.services.credentials import Credentials
from engagement.sources.telegram_group.model import TelegramGroupSource


def add_needs(source: TelegramGroupSource, needs: ContainerNeeds, credentials: Credentials) -> None:
    """Add each file or folder, wherever it lies."""
    for url in source.export_urls:
        needs.add_file(url, credentials)
