"""RapidPro's REST API v2: flows, runs, contacts and archives, page by page, as servers from 2020 to 2026 answer.

Only the fields that a pipeline needs are decoded: a run's contact is known by its uuid alone, and neither its URN nor any
name leaves the page that brought it.

Pages of runs and contacts are asked for oldest first. Newest first, which is the server's own way, a run that is
modified while its flow is being paged moves to a page that was already read, and is lost without an error.
"""

import collections
import gzip
import hashlib
import io
import logging
import urllib.parse
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from engagement.errors import ServiceError
from engagement.services.http import HttpSession, RefusedError
from engagement.services.retries import RetryPolicy, TemporaryError, call_with_retries

_MOST_ATTEMPTS = 3
_ARCHIVE_BATCH = 250
_BUFFER_BYTES = 1 << 18

_logger = logging.getLogger(__name__)


class ForgottenPlaceError(Exception):
    """The server does not know the place in its pages that was kept: ask again from a time."""


class Workspace(msgspec.Struct, frozen=True):
    """Whose data they are. An anonymous one hides every URN. Old servers tell less, the oldest nothing."""

    uuid: str | None = None
    name: str | None = None
    anon: bool = False
    country: str | None = None
    timezone: str | None = None


class FlowResult(msgspec.Struct, frozen=True):
    """A question that a flow keeps the answers to. `categories` are what the flow's author sorts answers into."""

    key: str
    categories: tuple[str, ...] = ()


class Flow(msgspec.Struct, frozen=True):
    """A flow of the workspace."""

    uuid: str
    name: str
    archived: bool | None = False
    results: tuple[FlowResult, ...] = ()


# gc=False: these rows hold nothing that leads back to them, and pages bring thousands of them.
class Reference(msgspec.Struct, frozen=True, gc=False):
    """Another object, by its uuid."""

    uuid: str


class Result(msgspec.Struct, gc=False):
    """One result of a run. `input` is the whole text where the server still sends it."""

    time: datetime
    name: str | None = None
    category: str | None = None
    value: str | None = None
    input: str | None | msgspec.UnsetType = msgspec.UNSET


class Run(msgspec.Struct, gc=False):
    """A contact's way through a flow. Servers since version 10 send no `id`; archives and live pages differ in what they add."""

    uuid: str
    flow: Reference
    contact: Reference
    created_on: datetime
    modified_on: datetime
    exited_on: datetime | None = None
    exit_type: str | None = None
    id: int | None = None
    values: dict[str, Result] | None = None


class Contact(msgspec.Struct, gc=False):
    """A contact, with its URNs in priority order."""

    uuid: str
    modified_on: datetime
    urns: list[str] = []


@dataclass(frozen=True)
class Archive:
    """A gzip file of old runs, one a line; `md5` is that of the compressed bytes."""

    md5: str
    start_date: str
    period: str
    record_count: int
    address: str

    @property
    def name(self) -> str:
        """What a person calls it, e.g. "archive 2021-03-01 (monthly)"."""
        return f"archive {self.start_date} ({self.period})"


@dataclass(frozen=True)
class Page[Row]:
    """Rows as they came. `following` is what asks for the next page, None on the last; `answered_on` is the server's clock."""

    rows: list[Row]
    following: str | None
    answered_on: datetime | None


class _PageBody[Row](msgspec.Struct):
    results: list[Row]
    next: str | None = None


class _ArchiveRow(msgspec.Struct):
    hash: str
    start_date: str
    period: str
    record_count: int
    download_url: str
    archive_type: str | None = None
    type: str | None = None


class RapidProClient:
    """A workspace at `domain`: a host name, or an address with scheme and port. Use it as a context manager.

    Its methods raise ServiceError when the server refuses, can't be reached within the policy's patience, or answers what
    is not RapidPro.
    """

    def __init__(self, domain: str, token: str, policy: RetryPolicy):
        self.domain = domain
        address = domain if domain.startswith(("http://", "https://")) else f"https://{domain}"
        self._api = f"{address.rstrip('/')}/api/v2/"
        headers = {"Authorization": f"Token {token}", "Accept": "application/json"}
        self._session = HttpSession(f"RapidPro {domain}", headers, policy)

    def __enter__(self) -> "RapidProClient":
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.__exit__(None, None, None)

    def workspace(self) -> Workspace:
        """The workspace that the token is of; an empty one where the server is too old to say."""
        what = "workspace.json"
        decoder = msgspec.json.Decoder(Workspace)
        try:
            return self._session.get(self._api + what, what, lambda body: self._decode(body, what, decoder)).body
        except RefusedError as refused:
            if refused.status == 404:
                return Workspace()
            raise self._explain(refused.status, what) from None

    def flows(self) -> list[Flow]:
        """Every flow of the workspace, archived ones too."""
        return [flow for page in self._pages("flows", {}, None, Flow) for flow in page.rows]

    def runs(self, flow_uuid: str, after: datetime | None, following: str | None = None) -> Iterator[Page[Run]]:
        """The runs of a flow that were modified at or after a time, oldest first; or the pages from `following` on."""
        return self._pages("runs", {"flow": flow_uuid, **_oldest_first(after)}, following, Run)

    def contacts(self, after: datetime | None, following: str | None = None) -> Iterator[Page[Contact]]:
        """The contacts that were modified at or after a time, oldest first; or the pages from `following` on."""
        return self._pages("contacts", _oldest_first(after), following, Contact)

    def has_contact(self, uuid: str) -> bool:
        """Whether the workspace has a contact, which was not deleted."""
        return any(page.rows for page in self._pages("contacts", {"uuid": uuid}, None, Contact))

    def run_archives(self) -> list[Archive]:
        """The archives of runs, oldest first."""
        # The parameter's name changed with the servers: each ignores the one that it does not know.
        parameters = {"archive_type": "run", "type": "run"}
        rows = [row for page in self._pages("archives", parameters, None, _ArchiveRow) for row in page.rows]
        archives = [
            Archive(row.hash, row.start_date, row.period, row.record_count, row.download_url)
            for row in rows
            if (row.archive_type or row.type) == "run"
        ]
        return sorted(archives, key=lambda archive: (archive.start_date, archive.period))

    def read_archive[Outcome](self, archive: Archive, store: Callable[[Iterator[list[Run]]], Outcome]) -> Outcome:
        """Hand the archive's runs to `store` in batches, as they stream in.

        That the archive is whole is known only when the batches have ended. `store` must undo what it did when they end in an
        error, and it is called again when another try may help.
        """

        def read() -> Outcome:
            nonlocal archive
            try:
                return store(self._batches(archive))
            except RefusedError as refused:
                if refused.status != 403:
                    raise self._explain(refused.status, archive.name) from None
                # The addresses of a listing expire after a day: that is no wrong token, a new listing has new ones.
                archive = next((listed for listed in self.run_archives() if listed.md5 == archive.md5), archive)
                raise TemporaryError("the address was refused (status 403)", most_attempts=_MOST_ATTEMPTS) from None

        return call_with_retries(read, f"{self._session.where}: {archive.name}", self._session.policy)

    def _batches(self, archive: Archive) -> Iterator[list[Run]]:
        received = hashlib.md5(usedforsecurity=False)
        chunks = _hashed(self._session.stream(archive.address), received)
        decode = msgspec.json.Decoder(Run).decode
        unreadable = False
        count, batch = 0, []
        try:
            with gzip.open(io.BufferedReader(_ChunkReader(chunks), _BUFFER_BYTES)) as lines:
                for line in lines:
                    batch.append(decode(line))
                    if len(batch) == _ARCHIVE_BATCH:
                        count += len(batch)
                        yield batch
                        batch = []
        except (EOFError, zlib.error, gzip.BadGzipFile, msgspec.MsgspecError):
            unreadable = True
            collections.deque(chunks, maxlen=0)  # the rest, for the hash
        if received.hexdigest() != archive.md5:
            raise TemporaryError(
                f"its md5 is {received.hexdigest()}, the server announced {archive.md5}",
                most_attempts=_MOST_ATTEMPTS,
                remedy="Nothing of it was kept. Run this again; if it stays so, ask whoever runs the server.",
            )
        where = f"{self._session.where}: {archive.name}"
        if unreadable:
            raise ServiceError(f"{where}: not a gzip file of runs, one a line. Ask whoever runs the server.")
        yield batch
        count += len(batch)
        if count != archive.record_count:
            _logger.warning("%s: %d runs, the server announced %d; all were kept", where, count, archive.record_count)

    def _pages[Row](
        self, endpoint: str, parameters: Mapping[str, str], following: str | None, row: type[Row]
    ) -> Iterator[Page[Row]]:
        decoder = msgspec.json.Decoder(_PageBody[row])  # type: ignore[valid-type]
        what = f"{endpoint}.json"
        query = following or urllib.parse.urlencode(parameters)
        while True:
            address = self._api + what + (f"?{query}" if query else "")
            try:
                answer = self._session.get(address, what, lambda body: self._decode(body, what, decoder))
            except RefusedError as refused:
                if refused.status == 404 and query == following:
                    raise ForgottenPlaceError from None
                raise self._explain(refused.status, what) from None
            # `next` is made from the Host header, and its host can be another behind a proxy: only its query is used.
            page = answer.body
            query = urllib.parse.urlsplit(page.next).query if page.next else ""
            yield Page(page.results, query or None, answer.answered_on)
            if not query:
                return

    def _decode[Body](self, body: bytes, what: str, decoder: msgspec.json.Decoder[Body]) -> Body:
        try:
            return decoder.decode(body)
        except msgspec.ValidationError as error:
            raise ServiceError(
                f"{self._session.where}: {what} is not as RapidPro's API version 2 has it: {error}. "
                "Check that Domain is that of a RapidPro server."
            ) from None
        except msgspec.DecodeError:
            raise TemporaryError("the answer is not JSON", most_attempts=_MOST_ATTEMPTS) from None

    def _explain(self, status: int, what: str) -> ServiceError:
        where = f"{self._session.where}: {what}"
        if status in (401, 403):
            return ServiceError(
                f"{where}: the token was refused (status {status}); expected a token of this workspace. "
                "Check the file that TokenFileURL names."
            )
        return ServiceError(
            f"{where}: answered status {status}; expected 200. Check that Domain is that of a RapidPro server."
        )


class _ChunkReader(io.RawIOBase):
    """Chunks of bytes as a file that can be read once."""

    def __init__(self, chunks: Iterator[bytes]):
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = next(self._chunks, b"")
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _hashed(chunks: Iterator[bytes], received: Any) -> Iterator[bytes]:
    for chunk in chunks:
        received.update(chunk)
        yield chunk


def _oldest_first(after: datetime | None) -> dict[str, str]:
    parameters = {"reverse": "true"}
    if after is not None:
        parameters["after"] = after.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return parameters
