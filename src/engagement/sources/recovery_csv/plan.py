"""Which recovery CSVs a fetch would read."""

from collections.abc import Iterator

from engagement.configuration.flow_choices import flow_name_of_url
from engagement.sources.plan_context import SourcePlanContext
from engagement.sources.recovery_csv.model import RecoveryCSVSource


def plan_fetch(source: RecoveryCSVSource, context: SourcePlanContext) -> Iterator[str]:
    """Every file is read anew: nothing is asked."""
    for url in source.flow_urls:
        yield f"flow {flow_name_of_url(url)!r}: {url} is read anew, and written if it changed"
