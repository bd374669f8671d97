"""Check that the data root's participants got their uuids from this uuid table.

A table forgotten in a move, or a changed name, would silently give everybody a new uuid. So the fetch first looks up some of
the data root's participants in the table.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

from engagement.configuration import Project
from engagement.foundation.errors import ConfigurationError
from engagement.foundation.files import make_directory, read_json, write_json
from engagement.services.uuid_tables.protocol import UuidExchange, UuidTable
from engagement.sources.contacts_directory import find_contacts_files
from engagement.sources.context import FetchContext

_ACCEPTED = "accepted uuid table.json"
_MOST_PARTICIPANTS = 30
_TAIL_BYTES = 1 << 16

_logger = logging.getLogger(__name__)


def refuse_other_table(table: UuidExchange, context: FetchContext) -> None:
    """Refuse a uuid table that knows none of a sample of the data root's participants.

    --accept-new-uuid-table accepts it, and State/ remembers that.

    Raises
    ------
    ConfigurationError
        It knows none of them. Nothing was fetched.
    """
    participants = _sample_participants(context.project, context.data_root)
    if not participants or table.knows_any(participants):
        return
    settings = context.project.configuration.phone_number_uuid_table
    identity = settings.model_dump(by_alias=True)
    note = context.state_file(_ACCEPTED)
    if context.accept_new_uuid_table:
        _logger.warning(
            "uuid table %r: accepted, though it knows none of the earlier participants", settings.table_name
        )
        make_directory(note.parent)
        write_json(note, identity)
    elif not (note.exists() and read_json(note) == identity):
        raise ConfigurationError(
            f"uuid table {settings.table_name!r}: it knows none of {len(participants)} participants in {context.data_root}; "
            "expected the table that they got their uuids from. Nothing was fetched. Check PhoneNumberUuidTable, or bring "
            "the table back (docs/runbook.md, 'The uuid table'). If it is meant to be a new one, run stage 2 with "
            "--accept-new-uuid-table: every participant fetched from then on gets a new uuid."
        )


def refuse_table_without(table: UuidTable, project: Project, data_root: Path) -> None:
    """Refuse to look somebody up in a uuid table that is another project's.

    It knows none of a sample of the data root's participants.

    Raises
    ------
    ConfigurationError
        It knows none of them, and nobody has accepted it as a new one.
    """
    participants = _sample_participants(project, data_root)
    settings = project.configuration.phone_number_uuid_table
    note = data_root / "State" / "fetch" / _ACCEPTED
    is_accepted = note.exists() and read_json(note) == settings.model_dump(by_alias=True)
    if participants and not is_accepted and not table.knows_any(participants):
        raise ConfigurationError(
            f"uuid table {settings.table_name!r}: it knows none of {len(participants)} participants in {data_root}; expected the table "
            "that they got their uuids from. Nothing was changed. Check PhoneNumberUuidTable and the credentials, or bring the table "
            "back (docs/runbook.md, 'The uuid table')."
        )


def _sample_participants(project: Project, data_root: Path) -> list[str]:
    """Pick some of the newest participants, each once."""
    contacts = [_last_lines(path) for path in find_contacts_files(data_root)]
    runs = [
        _last_lines(data_root / "Raw Data" / f"{name}.jsonl")
        for source in project.configuration.raw_data_sources
        if source.uses_uuid_table
        for name in source.flow_names
    ]
    found: dict[str, None] = {}
    for lines in contacts if any(contacts) else runs:
        # Some from each file, so that one workspace does not stand for all.
        own: dict[str, None] = {}
        for line in reversed(lines):
            own |= dict.fromkeys(_participants_of(line))
            if len(own) * len(contacts or runs) >= _MOST_PARTICIPANTS:
                break
        found |= own
    return list(found)[:_MOST_PARTICIPANTS]


def _participants_of(line: bytes) -> Iterator[str]:
    """Find the participant of a line of Contacts/ or Raw Data/, without validating the line."""
    try:
        document = json.loads(line)
        updates = [document] if isinstance(document, dict) else [update["Data"] for update in document]
        values = [update.get("participant", update.get("avf_phone_id")) for update in updates]
    except (ValueError, LookupError, TypeError, AttributeError):
        return
    yield from (value for value in values if isinstance(value, str))


def _last_lines(path: Path) -> list[bytes]:
    """Read the whole lines at the end of a file; none if there is no file."""
    try:
        with path.open("rb") as file:
            start = max(0, file.seek(0, 2) - _TAIL_BYTES)
            file.seek(start)
            lines = file.read().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    return lines[1:] if start else lines
