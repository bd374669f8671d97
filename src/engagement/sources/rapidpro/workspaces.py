"""Check the workspace of a source's token: it must stay the same, and show its URNs."""

import logging
import urllib.parse
from pathlib import Path

from engagement.configuration.flow_choices import Identity
from engagement.foundation.errors import ConfigurationError
from engagement.services.rapidpro.client import Workspace
from engagement.sources.contacts_directory import contacts_directory, find_contacts_files
from engagement.sources.context import FetchContext
from engagement.sources.rapidpro.model import RapidProSource
from engagement.sources.rapidpro.state.run_store import RunStore

_logger = logging.getLogger(__name__)


def contacts_files(source: RapidProSource, workspace: Workspace, data_root: Path) -> tuple[Path, Path]:
    """Name the workspace's file in Contacts/, and its name from before the server gave a uuid."""
    directory = contacts_directory(data_root)
    unnamed = directory / f"{_as_file_name(source.contacts_name)}.jsonl"
    return (directory / f"{_as_file_name(workspace.uuid)}.jsonl" if workspace.uuid else unnamed), unnamed


def refuse_anonymous(source: RapidProSource, workspace: Workspace) -> None:
    """Refuse an anonymous workspace: its URNs look the same, so its contacts would be one participant.

    Raises
    ------
    ConfigurationError
        The workspace is anonymous, and the source does not say that a participant is a contact.
    """
    if workspace.anon and source.identity is Identity.URN:
        raise ConfigurationError(f"RapidPro {source.domain}: {describe_anonymous(workspace)}")


def describe_anonymous(workspace: Workspace) -> str:
    """Report that a workspace is anonymous, and what to do."""
    return (
        f"workspace {workspace.name!r} is anonymous: it hides the URNs of its contacts; expected URNs, by which participants "
        'are told apart. Have it opened in RapidPro, or add "Identity": "contact" to the source: each contact is then a '
        "participant of its own, whom other workspaces and seasons don't know, and operators are not coded."
    )


def settle_workspace(source: RapidProSource, workspace: Workspace, store: RunStore, context: FetchContext) -> None:
    """Check that the token's workspace is the one so far, and remember it.

    With --accept-workspace the source starts again with another one; the contacts of the first one stay on record.

    Raises
    ------
    ConfigurationError
        It is another workspace. Nothing was changed.
    """
    if not workspace.uuid:
        return
    (known,) = store.connection.execute("SELECT workspace FROM source").fetchone()
    if known is None:
        if _is_other_by_files(source, workspace, store, context) and not context.accept_workspace:
            raise ConfigurationError(
                f"RapidPro {source.domain}: the token is of workspace {workspace.uuid} ({workspace.name!r}), which Contacts/ "
                f"does not know, though Raw Data/ has runs of this source; {_REMEDY}"
            )
    elif known != workspace.uuid:
        if not context.accept_workspace:
            raise ConfigurationError(
                f"RapidPro {source.domain}: the token is of workspace {workspace.uuid} ({workspace.name!r}); expected "
                f"{known}, the source of everything so far. {_REMEDY}"
            )
        _logger.warning("RapidPro %s: starts again with workspace %s; it was %s", source.domain, workspace.uuid, known)
        with store.transaction():
            store.begin_anew()
    if known != workspace.uuid:
        with store.transaction():
            store.connection.execute("UPDATE source SET workspace = ?", (workspace.uuid,))


_REMEDY = (
    "Nothing was changed. Check the file that TokenFileURL names. If the project did move there, run stage 2 with "
    "--accept-workspace: the source's runs are then fetched again, from this workspace alone."
)


def _is_other_by_files(source: RapidProSource, workspace: Workspace, store: RunStore, context: FetchContext) -> bool:
    """Check if State/ was removed, and the remaining data is from other workspaces."""
    mine = set(contacts_files(source, workspace, context.data_root))
    files = find_contacts_files(context.data_root)
    return (
        bool(files)
        and not mine.intersection(files)
        and store.is_empty()
        and any(context.raw_data_file(name).exists() for name in source.flow_names)
    )


def _as_file_name(name: str) -> str:
    return urllib.parse.quote(name, safe=" ")
