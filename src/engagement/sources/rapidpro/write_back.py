"""Open a source's workspace for writing: its contacts by participant, as the fetch knows them."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource
from engagement.foundation.errors import ServiceError
from engagement.services.rapidpro.contact_writer import ContactWriter
from engagement.services.rapidpro.writing import RapidProWriter
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage, read_token
from engagement.sources.online_check import OnlineCheck
from engagement.sources.rapidpro.contact_map import read_contacts
from engagement.sources.rapidpro.model import RapidProSource
from engagement.sources.rapidpro.workspaces import contacts_files

# Names of a contact's own properties and of its channels, which no field can have.
_KEPT_KEYS = frozenset(
    ("blocked", "created_by", "created_on", "ext", "facebook", "fields", "flow", "group", "groups", "has", "history", "id",
     "is", "language", "last_seen_on", "mailto", "modified_by", "name", "org", "status", "stopped", "tel", "telegram",
     "tickets", "twitter", "urns", "uuid", "viber", "whatsapp")
)  # fmt: skip


@dataclass(frozen=True)
class WritableWorkspace:
    """A workspace. `name` is that of its file in Contacts/; `contacts` are uuids, by participant."""

    where: str
    name: str
    contacts: dict[str, list[str]]
    contact_writer: ContactWriter


def ask(
    placed: PlacedSource[RapidProSource],
    groups: Iterable[tuple[str, str]],
    fields: Iterable[tuple[str, str]],
    check: OnlineCheck,
) -> None:
    """Check the workspace's groups and fields that are to be written, each given after its JSON path.

    Missing ones are no problem, unless RapidPro keeps the key for itself: the writing back makes them. The token has to be one
    that may write.
    """
    source = placed.source
    token = read_token(check.storage, source.token_file_url)
    with RapidProWriter(source.domain, token, check.policy) as client:
        smart = {group.name.casefold() for group in client.groups() if group.query}
        known = {field.key: field.holds_text for field in client.fields()}
        client.check_writing()
    for at, name in groups:
        if name.casefold() in smart:
            text = f"{name!r} is a smart group in RapidPro {source.domain}; expected one without a query. Name another one."
            check.findings.add_errors([Problem(at, text)])
    for at, key in fields:
        if key not in known and key in _KEPT_KEYS:
            text = f"RapidPro keeps {key!r} for itself; expected another key. Change it."
            check.findings.add_errors([Problem(at, text)])
        if not known.get(key, True):
            text = f"{key!r} takes no texts in RapidPro {source.domain}; expected a field of texts. Name another one."
            check.findings.add_errors([Problem(at, text)])


@contextlib.contextmanager
def open_workspace(
    source: RapidProSource, storage: Storage, policy: RetryPolicy, data_root: Path, is_dry: bool
) -> Iterator[WritableWorkspace]:
    """Open the workspace of a source's token.

    Raises
    ------
    ServiceError
        The server refuses, or the workspace is not one that this data root was fetched from.
    """
    token = read_token(storage, source.token_file_url)
    with RapidProWriter(source.domain, token, policy) as client:
        workspace = client.workspace()
        where = f"RapidPro {source.domain}"
        path = next((path for path in contacts_files(source, workspace, data_root) if path.exists()), None)
        if path is None:
            raise ServiceError(
                f"{where}: the token is of workspace {workspace.uuid or 'without a uuid'} ({workspace.name!r}), which Contacts/ "
                "does not know; expected the one that this data root was fetched from. Nothing was written there. Check the file "
                "that TokenFileURL names, or run stage 2."
            )
        contacts: dict[str, list[str]] = {}
        for contact, who in read_contacts(path):
            contacts.setdefault(who.uuid, []).append(contact)
        size = sum(map(len, contacts.values()))
        yield WritableWorkspace(where, path.stem, contacts, ContactWriter(client, size, is_dry))
