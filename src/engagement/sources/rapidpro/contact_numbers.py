"""Phone numbers of contacts, from RapidPro as they are now; they stay in memory."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engagement.services.rapidpro.client import Workspace
from engagement.services.rapidpro.paging import read_oldest_first
from engagement.services.rapidpro.reachable import ReachableContacts
from engagement.services.rapidpro.rows import ReachableContact
from engagement.services.retries import RetryPolicy
from engagement.sources.rapidpro.model import RapidProSource
from engagement.sources.rapidpro.workspaces import contacts_files
from engagement.sources.urns import identities_of, parse_urn

_ROWS_A_PAGE = 250
_FEWEST_DIGITS = 10


@dataclass
class ContactNumbers:
    """Contacts of a workspace by outcome: `numbers` by contact, in international form."""

    numbers: dict[str, str] = field(default_factory=dict)
    inactive: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)


def find_numbers(
    source: RapidProSource, token: str, policy: RetryPolicy, data_root: Path, contacts: Mapping[str, Collection[str]]
) -> tuple[str, ContactNumbers]:
    """Find the numbers of the contacts that are of the source's workspace.

    `contacts` are by workspace, each named by its file in Contacts/. Returns the name of this one as well.
    """
    client = ReachableContacts(source.domain, token, policy)
    with client:
        workspace = client.workspace()
        name = _find_name(source, workspace, data_root, contacts)
        wanted = set(contacts.get(name, ()))
        found = ContactNumbers(gone=set(wanted))
        size = _count_lines(data_root, name)
        if len(wanted) > size / _ROWS_A_PAGE:
            where = f"RapidPro {source.domain}: contacts"
            for page, _ in read_oldest_first(where, client.reachable_contacts, None):
                for row in page.rows:
                    if row.uuid in wanted:
                        _take(found, row, workspace.country)
        else:
            for uuid in sorted(wanted):
                one = client.reachable_contact(uuid)
                if one is not None:
                    _take(found, one, workspace.country)
    return name, found


def _find_name(
    source: RapidProSource, workspace: Workspace, data_root: Path, contacts: Mapping[str, Collection[str]]
) -> str:
    own, earlier = contacts_files(source, workspace, data_root)
    # The first fetch that knew the workspace's uuid renamed the file.
    return own.stem if own.exists() or own.stem in contacts else earlier.stem


def _count_lines(data_root: Path, name: str) -> int:
    path = data_root / "Contacts" / f"{name}.jsonl"
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _take(found: ContactNumbers, row: ReachableContact, country: str | None) -> None:
    found.gone.discard(row.uuid)
    if not row.is_active:
        found.inactive.add(row.uuid)
        return
    number = find_number(row.urns, country)
    if number is not None:
        found.numbers[row.uuid] = number


def find_number(urns: Collection[str], country: str | None = None) -> str | None:
    """Find a contact's first phone number, in international form.

    >>> find_number(["whatsapp:252615000002", "tel:+252 61 5000001"]), find_number(["tel:378", "telegram:12345678901"])
    ('+252615000001', None)
    >>> find_number(["tel:0615000001"], "SO"), find_number(["tel:********"])
    ('+252615000001', None)
    """
    for urn in map(parse_urn, urns):
        if urn is not None and urn.scheme == "tel":
            digits = identities_of(urn, country)[-1]
            # A short code or a national number would be somebody else's.
            if digits.isdigit() and len(digits) >= _FEWEST_DIGITS:
                return f"+{digits}"
    return None
