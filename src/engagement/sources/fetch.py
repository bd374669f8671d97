"""Every source of a configuration, in order: first all arrive, then all are written."""

from collections.abc import Callable, Mapping
from typing import Any

from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow
from engagement.sources.gcloud_bucket.fetch import fetch_bucket
from engagement.sources.rapidpro.fetch import fetch_rapidpro
from engagement.sources.rapidpro.known_participants import refuse_other_table
from engagement.sources.recovery_csv.fetch import fetch_recovery_csv

_SOURCE_TYPES: Mapping[str, Callable[[Any, FetchContext], list[FetchedFlow]]] = {
    "RapidPro": fetch_rapidpro,
    "GCloudBucket": fetch_bucket,
    "RecoveryCSV": fetch_recovery_csv,
}


def fetch_sources(context: FetchContext) -> list[FetchedFlow]:
    """Fetch every source of the project; nothing is written to Raw Data yet."""
    sources = context.project.configuration.raw_data_sources
    if any(source.uses_uuid_table for source in sources):
        refuse_other_table(context.uuid_table, context)
    flows: list[FetchedFlow] = []
    for source in sources:
        flows += _SOURCE_TYPES[source.source_type](source, context)
    return flows
