"""Read contacts with their URNs and status, for the one who asked for their numbers."""

from collections.abc import Iterator
from datetime import datetime

from engagement.services.rapidpro.client import Page, RapidProClient, oldest_first
from engagement.services.rapidpro.reading import RowReader
from engagement.services.rapidpro.rows import ReachableContact


class ReachableContacts(RapidProClient):
    """A client that tells which contacts may be written to."""

    def reachable_contact(self, uuid: str) -> ReachableContact | None:
        """Return a contact; None if the workspace does not have it (any more)."""
        page = next(self._pages("contacts", {"uuid": uuid}, RowReader(ReachableContact)))
        return next(iter(page.rows), None)

    def reachable_contacts(
        self, after: datetime | None, before: datetime | None = None, skip: int = 0
    ) -> Iterator[Page[ReachableContact]]:
        """Give all contacts modified in a closed time range, oldest first, without the first `skip`."""
        return self._pages("contacts", oldest_first(after, before, skip), RowReader(ReachableContact))
