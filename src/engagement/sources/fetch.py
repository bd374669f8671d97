"""Fetch a configuration's sources in order. First all arrive, then all are written."""

from engagement.configuration.source_types import load_part
from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow
from engagement.sources.known_participants import refuse_other_table


def fetch_sources(context: FetchContext) -> list[FetchedFlow]:
    """Fetch every source of the project; nothing is written to Raw Data yet."""
    sources = context.project.configuration.raw_data_sources
    if any(source.uses_uuid_table for source in sources):
        refuse_other_table(context.uuid_table, context)
    flows: list[FetchedFlow] = []
    for source in sources:
        flows += load_part(source.source_type, "fetch").fetch_flows(source, context)
    return flows
