"""Fetch a configuration's sources in order. First all arrive, then all are written."""

import contextlib
import dataclasses
import logging

from engagement.configuration.source_model import RawDataSource
from engagement.configuration.source_types import load_part
from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow
from engagement.sources.known_participants import refuse_other_table
from engagement.sources.state_databases import DamagedStateError

_logger = logging.getLogger(__name__)


def fetch_sources(context: FetchContext) -> list[FetchedFlow]:
    """Fetch every source of the project; nothing is written to Raw Data yet."""
    sources = context.project.configuration.raw_data_sources
    if any(source.uses_uuid_table for source in sources):
        refuse_other_table(context.uuid_table, context)
    flows: list[FetchedFlow] = []
    for source in sources:
        try:
            flows += _fetch_flows(source, context)
        except DamagedStateError as error:
            _logger.warning("%s", error)
            flows += _fetch_flows(source, context)
    return flows


def _fetch_flows(source: RawDataSource, context: FetchContext) -> list[FetchedFlow]:
    """Fetch a source; if it fails, what it opened is closed at once."""
    with contextlib.ExitStack() as opened:
        own = dataclasses.replace(context, resources=opened)
        flows: list[FetchedFlow] = load_part(source.source_type, "fetch").fetch_flows(source, own)
        context.resources.push(opened.pop_all())
    return flows
