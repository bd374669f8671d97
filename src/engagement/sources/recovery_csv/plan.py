"""Plan the reading of recovery CSVs."""

from collections.abc import Iterator

from engagement.configuration.flow_choices import flow_name_of_url
from engagement.sources.plan_context import SourcePlanContext
from engagement.sources.recovery_csv.model import RecoveryCSVSource


def plan_fetch(source: RecoveryCSVSource, context: SourcePlanContext) -> Iterator[str]:
    """Name every file: each is read again, without asking a service."""
    for url in source.flow_urls:
        yield f"flow {flow_name_of_url(url)!r}: {url} is read again, and written if it changed"
