"""Write to RapidPro's contacts: one request a method, each of which can safely arrive twice.

Contacts are addressed by uuid, but for `find_or_create`: a URN that the workspace does not know makes a new contact.
"""

import urllib.parse
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from engagement.foundation.errors import ServiceError
from engagement.services.http import RefusedError
from engagement.services.rapidpro.client import Page, RapidProClient, oldest_first
from engagement.services.rapidpro.reading import RowReader, decode_or_none
from engagement.services.rapidpro.refusals import explain_refused_write, reason_of
from engagement.services.rapidpro.rows import ContactDetails, ContactField, ContactGroup

# RapidPro takes so many contacts in one action.
CONTACTS_AN_ACTION = 100
# Statuses of a refusal that concerns what was written, and not the token or the server.
_OF_THE_CONTENT = (400, 404)


class Refusal(NamedTuple):
    """RapidPro's reason for refusing one write. `is_gone`: the contact or group is not there (any more)."""

    reason: str
    is_gone: bool


class RapidProWriter(RapidProClient):
    """A client that also writes to the workspace's contacts.

    Methods return a Refusal if RapidPro refuses the content, and raise ServiceError if the token may not write, or as
    `RapidProClient` does.
    """

    def contact_details(self, uuid: str) -> ContactDetails | None:
        """Return a contact's groups, fields and status; None if the workspace does not have it (any more)."""
        page = next(self._pages("contacts", {"uuid": uuid}, RowReader(ContactDetails)))
        return next(iter(page.rows), None)

    def all_contact_details(
        self, after: datetime | None, before: datetime | None = None, skip: int = 0
    ) -> Iterator[Page[ContactDetails]]:
        """Give all contacts modified in a closed time range, oldest first, without the first `skip`."""
        return self._pages("contacts", oldest_first(after, before, skip), RowReader(ContactDetails))

    def members(
        self, group: str, after: datetime | None, before: datetime | None = None, skip: int = 0
    ) -> Iterator[Page[ContactDetails]]:
        """Give the contacts of a group, given by its uuid, as `all_contact_details` does."""
        parameters = {"group": group, **oldest_first(after, before, skip)}
        return self._pages("contacts", parameters, RowReader(ContactDetails))

    def groups(self) -> list[ContactGroup]:
        """Return every group of the workspace."""
        return [group for page in self._pages("groups", {}, RowReader(ContactGroup)) for group in page.rows]

    def fields(self) -> list[ContactField]:
        """Return every contact field of the workspace."""
        return [field for page in self._pages("fields", {}, RowReader(ContactField)) for field in page.rows]

    def create_group(self, name: str) -> ContactGroup | Refusal:
        """Make a group; if there is one of that name by now, returns the refusal."""
        return self._create("groups.json", {"name": name}, ContactGroup)

    def create_field(self, name: str) -> ContactField | Refusal:
        """Make a field of texts. The server derives its key from the name."""
        # Older servers know `label` and `value_type`; each ignores what it does not know.
        document = {"name": name, "label": name, "type": "text", "value_type": "text"}
        return self._create("fields.json", document, ContactField)

    def write_fields(self, uuid: str, values: dict[str, str]) -> Refusal | None:
        """Set fields of a contact; an empty text clears a field."""
        return self._write(f"contacts.json?{urllib.parse.urlencode({'uuid': uuid})}", {"fields": values})

    def check_writing(self) -> None:
        """Find out if the token may write: an action on no contacts is refused for that, or for the token.

        Raises
        ------
        ServiceError
            The token may not write. Nothing is changed either way.
        """
        self._write("contact_actions.json", {"contacts": [], "action": "add"})

    def find_or_create(self, urn: str) -> ContactDetails | Refusal:
        """Return the contact of a URN, which is made if the workspace has none; nothing of it is changed."""
        return self._create(f"contacts.json?{urllib.parse.urlencode({'urn': urn})}", {"fields": {}}, ContactDetails)

    def change_group(self, contacts: Sequence[str], group: str, is_adding: bool) -> Refusal | None:
        """Add contacts to a group, by uuid, or remove them; at most `CONTACTS_AN_ACTION`."""
        action = "add" if is_adding else "remove"
        return self._write("contact_actions.json", {"contacts": [*contacts], "action": action, "group": group})

    def block(self, contacts: Sequence[str]) -> Refusal | None:
        """Block contacts, at most `CONTACTS_AN_ACTION`: they get no more messages, and leave all groups."""
        return self._write("contact_actions.json", {"contacts": [*contacts], "action": "block"})

    def _create[Row](self, path: str, document: dict[str, Any], row: type[Row]) -> Row | Refusal:
        made: list[Row] = []

        def read(body: bytes) -> None:
            found = decode_or_none(body, row)
            if found is not None:
                made.append(found)

        refusal = self._write(path, document, read)
        if refusal is None and not made:
            what = path.partition("?")[0]
            raise ServiceError(f"{self._session.where}: {what} did not return what it made; expected it.")
        return made[-1] if refusal is None else refusal

    def _write(self, path: str, document: dict[str, Any], read: Any = lambda body: None) -> Refusal | None:
        what = path.partition("?")[0]
        try:
            self._session.post(self._api + path, what, msgspec.json.encode(document), read)
        except RefusedError as refused:
            # A web page is no answer of the API.
            if refused.status in _OF_THE_CONTENT and not refused.body.lstrip().startswith(b"<"):
                reason = reason_of(refused, self._token)
                return Refusal(reason, refused.status == 404 or reason.startswith("No such object"))
            raise explain_refused_write(refused, f"{self._session.where}: {what}", self._token) from None
        return None
