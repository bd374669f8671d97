"""Needs of a container that fetches TracedData files."""

from engagement.services.container_needs import ContainerNeeds
from engagement.services.credentials import Credentials
from engagement.sources.gcloud_bucket.model import GCloudBucketSource


def add_needs(source: GCloudBucketSource, needs: ContainerNeeds, credentials: Credentials) -> None:
    """Add each file, wherever it lies."""
    for url in source.flow_urls:
        needs.add_file(url, credentials)
