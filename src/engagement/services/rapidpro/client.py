"""RapidPro's REST API v2: workspace, flows, runs, contacts and archives, page by page.

It works with servers from 2016 to 2026.

Requests runs and contacts oldest first. The server's default is newest first, where a run that changes during paging
moves to a page already read, and is lost without an error.
"""

import logging
import urllib.parse
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self

from engagement.foundation.errors import ServiceError
from engagement.services.http import DecodedResponse, HttpSession, NoAddressError, RefusedError
from engagement.services.json_pieces import BrokenJSONError
from engagement.services.rapidpro.archives import (
    Archive,
    ArchiveError,
    ArchiveRow,
    DamagedArchiveError,
    archive_of,
    read_batches,
)
from engagement.services.rapidpro.cursors import write_offset
from engagement.services.rapidpro.reading import NotAPageError, RowReader, TooLargeError, read_workspace
from engagement.services.rapidpro.refusals import ASK_THE_SERVER, CHECK_DOMAIN, explain_refusal
from engagement.services.rapidpro.rows import Contact, Flow, Page, RapidProMessage, Run, UnreadableRow, Workspace
from engagement.services.retries import RetryPolicy, TemporaryError, call_with_retries

# The rest of the package imports these types from here.
__all__ = [
    "Archive",
    "ArchiveError",
    "Contact",
    "Flow",
    "Page",
    "RapidProClient",
    "RapidProMessage",
    "Run",
    "UnreadableRow",
    "Workspace",
]

_MOST_ATTEMPTS = 3
_MOST_EMPTY_PAGES = 100

_logger = logging.getLogger(__name__)


class RapidProClient:
    """A workspace at `domain` (a host name, or an address with scheme and port); a context manager.

    Methods raise ServiceError if the server refuses, can't be reached within the retry policy, or is not RapidPro.
    """

    def __init__(self, domain: str, token: str, policy: RetryPolicy):
        self.domain = domain
        address = domain if domain.startswith(("http://", "https://")) else f"https://{domain}"
        self._api = f"{address.rstrip('/')}/api/v2/"
        self._token = token
        headers = {"Authorization": f"Token {token}", "Accept": "application/json"}
        self._session = HttpSession(f"RapidPro {domain}", headers, policy)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.__exit__(None, None, None)

    def workspace(self) -> Workspace:
        """Return the token's workspace; an empty one if the server is too old to say."""
        what = "workspace.json"

        def read(body: bytes) -> Workspace:
            try:
                return read_workspace(body)
            except BrokenJSONError:
                raise TemporaryError("the response is not JSON", most_attempts=_MOST_ATTEMPTS) from None
            except NotAPageError as error:
                raise ServiceError(
                    f"{self._session.where}: {what} does not match RapidPro's API version 2: {error}. {CHECK_DOMAIN}"
                ) from None

        try:
            return self._session.get(self._api + what, what, read).body
        except RefusedError as refused:
            if refused.status == 404:
                return Workspace()
            raise explain_refusal(refused, f"{self._session.where}: {what}", self._token) from None

    def flows(self) -> list[Flow]:
        """Return every flow of the workspace, including archived ones."""
        flows: list[Flow] = []
        for page in self._pages("flows", {}, RowReader(Flow)):
            flows += page.rows
            for lost in page.unreadable:
                _logger.warning(
                    "%s: flow %s can't be read: %s: %s. %s",
                    self._session.where,
                    lost.uuid or "(without a uuid)",
                    lost.key or "the row",
                    lost.reason,
                    ASK_THE_SERVER,
                )
        return flows

    def runs(
        self, flow_uuid: str, after: datetime | None, before: datetime | None = None, skip: int = 0
    ) -> Iterator[Page[Run]]:
        """Give a flow's runs modified in a closed time range, oldest first, without the first `skip`."""
        parameters = {"flow": flow_uuid, **oldest_first(after, before, skip)}
        return self._pages("runs", parameters, RowReader(Run, (flow_uuid,)))

    def contacts(
        self, after: datetime | None, before: datetime | None = None, skip: int = 0
    ) -> Iterator[Page[Contact]]:
        """Give the contacts modified in a closed time range, oldest first, without the first `skip`."""
        return self._pages("contacts", oldest_first(after, before, skip), RowReader(Contact))

    def contact(self, uuid: str) -> Page[Contact]:
        """Give the contact with a uuid as a page; empty if the workspace does not have it (any more)."""
        return next(self._pages("contacts", {"uuid": uuid}, RowReader(Contact)))

    def messages(self, after: datetime | None, before: datetime | None = None) -> Iterator[Page[RapidProMessage]]:
        """Give contacts' messages modified in a closed time range, newest first, the server's only order.

        Servers that do not know this folder return all messages created in the range.
        """
        return self._pages("messages", {"folder": "incoming", **_bounds(after, before)}, RowReader(RapidProMessage))

    def run_again(self, flow_uuid: str, lost: UnreadableRow) -> Page[Run]:
        """Fetch again a run that was unusable: a page, empty if the run is gone."""
        return next(self._pages("runs", {"flow": flow_uuid, **_one(lost)}, RowReader(Run, (flow_uuid,))))

    def contact_again(self, lost: UnreadableRow) -> Page[Contact]:
        """Fetch again a contact that was unusable."""
        return next(self._pages("contacts", _one(lost), RowReader(Contact)))

    def has_contact(self, uuid: str) -> bool:
        """Tell whether the workspace has a contact that was not deleted."""
        return bool(self.contact(uuid).rows)

    def run_archives(self) -> list[Archive]:
        """Return the non-empty archives of runs, oldest first."""
        # Older and newer servers name the parameter differently, and ignore the other name.
        parameters = {"archive_type": "run", "type": "run"}
        pages = self._pages("archives", parameters, RowReader(ArchiveRow))
        archives = [archive for page in pages for row in page.rows if (archive := archive_of(row)) is not None]
        return sorted(archives, key=lambda archive: (archive.start_date, archive.period))

    def read_archive[Outcome](
        self, archive: Archive, flows: Collection[str], store: Callable[[Iterator[Page[Run]]], Outcome]
    ) -> Outcome:
        """Stream an archive's runs of the given flows (uuids) to `store`, in batches.

        Only after the last batch is it known whether the archive is complete. If the batches end in an error, `store`
        must undo its work; it is called again if a retry may help.

        Raises
        ------
        ArchiveError
            The archive is missing or damaged.
        """
        where = f"{self._session.where}: {archive.name}"
        reader = RowReader(Run, flows)
        damage = ""
        is_new = False

        def read() -> Outcome:
            nonlocal archive, damage, is_new
            damage = ""
            if not archive.address:
                raise ArchiveError(f"{where}: the listing lacks its hash or address; expected both. {ASK_THE_SERVER}")
            try:
                return store(read_batches(self._session, archive, reader))
            except DamagedArchiveError as error:
                damage = str(error)
                raise TemporaryError(damage, most_attempts=_MOST_ATTEMPTS) from None
            except NoAddressError:
                raise ArchiveError(
                    f"{where}: its address is not an HTTP address; expected one. {ASK_THE_SERVER}"
                ) from None
            except RefusedError as refused:
                if is_new:
                    raise ArchiveError(
                        f"{where}: the server did not give out its file (status {refused.status}); expected it. {ASK_THE_SERVER}"
                    ) from None
            # Addresses in a listing expire after a day; a new listing has fresh ones.
            is_new = True
            md5 = archive.md5
            archive = next(
                (listed for listed in self.run_archives() if listed.md5 == md5), replace(archive, address="")
            )
            return read()

        try:
            return call_with_retries(read, where, self._session.policy)
        except ServiceError:
            if damage:
                raise ArchiveError(f"{where}: {damage}; kept none of it. {ASK_THE_SERVER}") from None
            raise

    def _pages[Row](self, endpoint: str, parameters: Mapping[str, str], reader: RowReader[Row]) -> Iterator[Page[Row]]:
        what = f"{endpoint}.json"
        query = urllib.parse.urlencode(parameters)
        asked: set[int] = set()
        before: list[Row] = []
        empty_pages = 0
        while True:
            if hash(query) in asked:
                raise self._endless(what, "the next page was already read")
            asked.add(hash(query))
            answer = self._ask(endpoint, query, reader)
            # The server builds `next` from the Host header, which can be wrong behind a proxy: use only its query.
            page = answer.body
            query = _query_of(page.following)
            empty_pages = 0 if page.rows or page.unreadable else empty_pages + 1
            if empty_pages > _MOST_EMPTY_PAGES:
                raise self._endless(what, f"{empty_pages} empty pages in a row")
            if page.rows and page.rows == before and query:
                raise self._endless(what, "a page repeats the previous one")
            before = page.rows
            yield replace(page, following=query or None, answered_on=answer.answered_on)
            if not query:
                return

    def _ask[Row](self, endpoint: str, query: str, reader: RowReader[Row]) -> DecodedResponse[Page[Row]]:
        what = f"{endpoint}.json"
        address = self._api + what + (f"?{query}" if query else "")
        where = f"{self._session.where}: {what}"

        def read(body: bytes) -> Page[Row]:
            try:
                return reader.read_page(body)
            except BrokenJSONError:
                raise TemporaryError("the response is not JSON", most_attempts=_MOST_ATTEMPTS) from None
            except NotAPageError as error:
                raise ServiceError(
                    f"{where} does not match RapidPro's API version 2: {error}. {CHECK_DOMAIN}"
                ) from None
            except TooLargeError as error:
                raise ServiceError(f"{where}: a page holds {error}. {ASK_THE_SERVER}") from None

        try:
            return self._session.get(address, what, read)
        except RefusedError as refused:
            raise explain_refusal(refused, f"{self._session.where}: {what}", self._token) from None

    def _endless(self, what: str, found: str) -> ServiceError:
        return ServiceError(f"{self._session.where}: {what} does not end: {found}. {ASK_THE_SERVER}")


def _query_of(address: str | None) -> str:
    # Not split by urllib, which rejects some addresses that servers send.
    return (address or "").partition("?")[2].partition("#")[0]


def _one(lost: UnreadableRow) -> dict[str, str]:
    """Return the parameters that request one row, or the time range around it."""
    if lost.uuid is not None:
        return {"uuid": lost.uuid}
    return oldest_first(lost.after, lost.before)


def oldest_first(after: datetime | None, before: datetime | None, skip: int = 0) -> dict[str, str]:
    """Return the parameters that request rows modified in a closed time range, without the first `skip`."""
    cursor = {"cursor": write_offset(skip)} if skip else {}
    return {"reverse": "true", **_bounds(after, before), **cursor}


def _bounds(after: datetime | None, before: datetime | None) -> dict[str, str]:
    bounds = {"after": after, "before": before}
    return {name: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") for name, at in bounds.items() if at is not None}
