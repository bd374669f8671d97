"""Plan stage 2, source by source."""

from collections.abc import Iterator

from engagement.configuration.source_types import load_part
from engagement.services.credentials import EmbeddedCredentials
from engagement.services.storage.protocol import read_credentials
from engagement.stages.planning.context import PlanContext


def plan_fetch(context: PlanContext) -> Iterator[str]:
    """Write the lines about all sources, then about the uuid table."""
    for source in context.project.configuration.raw_data_sources:
        yield from load_part(source.source_type, "plan").plan_fetch(source, context)
    yield from _plan_uuid_table(context)


def _plan_uuid_table(context: PlanContext) -> Iterator[str]:
    table = context.project.configuration.phone_number_uuid_table
    with context.asking():
        credentials = read_credentials(context.storage, table.firebase_credentials_file_url)
        if isinstance(credentials, EmbeddedCredentials):
            yield f"uuid table {table.table_name!r}: embedded; no reads of Firestore"
        else:
            yield (
                f"uuid table {table.table_name!r}: Firestore of {credentials.project_id}: two reads for each new contact, "
                "four and a write for one whom the table does not know either"
            )
