"""HTTP for every service: one open connection, limits on what a response can take, and retries.

The address of a stored file can contain its own key, so messages and logs show only its path.
"""

import contextlib
import email.utils
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

import requests
import urllib3

from engagement.foundation.errors import ServiceError
from engagement.services.address_queries import hide_queries
from engagement.services.connection_failures import connection_failure_of
from engagement.services.header_deadline import LONGEST_HEADERS_SECONDS, DeadlineAdapter, EndlessHeadersError
from engagement.services.retries import RetryPolicy, TemporaryError, call_with_retries, temporary_failure_of

_CONNECT_TIMEOUT_SECONDS = 20.0
_READ_TIMEOUT_SECONDS = 120.0
# A RapidPro page has a few hundred KB; the slowest usable connection brings one KB a second.
LARGEST_ANSWER_BYTES = 24 << 20
_LONGEST_ANSWER_SECONDS = 120.0
_SLOWEST_STREAM_BYTES_A_SECOND = 10_000
_LARGEST_REFUSAL_BYTES = 1 << 16
_LONGEST_REFUSAL_SECONDS = 10.0
_MOST_REDIRECTS = 5
_CHUNK_BYTES = 1 << 18
hide_queries()


class RefusedError(Exception):
    """The service refused, and a retry would not help. `body` is its explanation, if short."""

    def __init__(self, status: int, body: bytes = b""):
        super().__init__(f"status {status}")
        self.status = status
        self.body = body


class OversizeError(ServiceError):
    """The response is larger than any should be; of a page fewer rows may fit."""


class FindError(Protocol):
    """Finds the error that a refusal explains in its body or headers; None for any other."""

    def __call__(self, status: int, body: bytes, headers: Mapping[str, str]) -> Exception | None:
        """Return the error to raise."""


class NoAddressError(ServiceError):
    """The address is not a valid HTTP address."""


@dataclass(frozen=True)
class DecodedResponse[Body]:
    """A complete response, decoded; `answered_on` is the server's clock, if sent."""

    body: Body
    answered_on: datetime | None
    headers: Mapping[str, str]


class HttpSession:
    """Requests to one service; messages name `where` but never the headers, which hold the token.

    `find_error` reads a refusal first, for a service that explains in the body what the status does not tell.
    """

    def __init__(
        self, where: str, headers: Mapping[str, str], policy: RetryPolicy, find_error: FindError | None = None
    ):
        self.where = where
        self.policy = policy
        self._find_error = find_error
        # We decompress it ourselves, to limit the size of the result.
        self._headers = {**headers, "Accept-Encoding": "gzip"}
        self._session = requests.Session()
        self._session.max_redirects = _MOST_REDIRECTS
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, DeadlineAdapter())
        # Otherwise an entry in ~/.netrc would replace the token's header.
        self._session.auth = _keep_headers

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session.close()

    def get[Body](self, url: str, what: str, decode: Callable[[bytes], Body]) -> DecodedResponse[Body]:
        """Request and decode a complete response.

        `decode` raises TemporaryError for a body that a retry may fix.

        Raises
        ------
        RefusedError
            The status is 4xx and not worth a retry.
        ServiceError
            The service can't be reached, the response is far too large or never ends, or it is a web page instead of data.
        """
        return self._ask(url, what, decode)

    def post[Body](
        self, url: str, what: str, document: bytes, decode: Callable[[bytes], Body]
    ) -> DecodedResponse[Body]:
        """Send a JSON document and decode the response.

        Raises what `get` does, and RefusedError for a redirect.

        After a failure it is sent again, so it must be one that can arrive twice.
        """
        return self._ask(url, what, decode, document)

    def _ask[Body](
        self, url: str, what: str, decode: Callable[[bytes], Body], document: bytes | None = None
    ) -> DecodedResponse[Body]:
        where = f"{self.where}: {what}"

        def ask() -> DecodedResponse[Body]:
            with self._open(url, where, self._headers, document) as response:
                with _explained_failures(where):
                    body = _read_whole(response, where)
                if _is_web_page(response, body):
                    raise ServiceError(
                        f"{self.where}: {what} answered with a web page; expected JSON. "
                        "Check that the address is the service's, and that no login page or proxy is in the way."
                    )
                return DecodedResponse(decode(body), _date_of(response), response.headers)

        return call_with_retries(ask, where, self.policy)

    def stream(self, url: str, what: str, largest_bytes: int, expected_bytes: int) -> Iterator[bytes]:
        """Give the bytes at a presigned address as they arrive; this sends none of the session's headers.

        Raises
        ------
        TemporaryError
            The connection failed or broke off. The caller starts again.
        RefusedError
            The status is 4xx and not worth a retry.
        ServiceError
            There are more than `largest_bytes`, or they take longer than `expected_bytes` ever should.
        """
        where = f"{self.where}: {what}"
        longest = _LONGEST_ANSWER_SECONDS + expected_bytes / _SLOWEST_STREAM_BYTES_A_SECOND
        # The raw bytes: an archive is a gzip file, whatever its Content-Encoding says.
        headers = {"Accept-Encoding": "identity"}
        with self._open(url, where, headers) as response, _explained_failures(where):
            yield from _chunks(response, where, largest_bytes, longest)

    def _open(
        self, url: str, where: str, headers: Mapping[str, str], document: bytes | None = None
    ) -> requests.Response:
        is_writing = document is not None
        with _explained_failures(where), _explained_addresses(where):
            response = self._session.request(
                "POST" if is_writing else "GET",
                url,
                headers={**headers, "Content-Type": "application/json"} if is_writing else dict(headers),
                data=document,
                # A redirected POST becomes a GET, whose answer would look like a success.
                allow_redirects=not is_writing,
                timeout=(_CONNECT_TIMEOUT_SECONDS, _READ_TIMEOUT_SECONDS),
                stream=True,
            )
        failure = temporary_failure_of(response.status_code, response.reason, response.headers)
        if failure is None and response.status_code < (300 if is_writing else 400):
            return response
        with response:
            # Read a short response to its end, so the connection can be reused.
            body = b""
            with contextlib.suppress(TemporaryError, ServiceError), _explained_failures(where):
                body = _unpack(
                    response,
                    b"".join(_chunks(response, where, _LARGEST_REFUSAL_BYTES, _LONGEST_REFUSAL_SECONDS)),
                    where,
                    _LARGEST_REFUSAL_BYTES,
                )
            told = self._find_error and self._find_error(response.status_code, body, response.headers)
            raise told or failure or RefusedError(response.status_code, body)


def _read_whole(response: requests.Response, where: str) -> bytes:
    # In large pieces: with the small ones that requests uses, a page of runs takes twice as long.
    packed = b"".join(_chunks(response, where, LARGEST_ANSWER_BYTES, _LONGEST_ANSWER_SECONDS))
    return _unpack(response, packed, where, LARGEST_ANSWER_BYTES)


def _chunks(response: requests.Response, where: str, largest_bytes: int, longest_seconds: float) -> Iterator[bytes]:
    """Give a response's bytes as they arrive; only time spent waiting for them counts against the limit."""
    size = 0
    waited = 0.0
    while True:
        begun = time.monotonic()
        chunk = response.raw.read1(_CHUNK_BYTES, decode_content=False)
        waited += time.monotonic() - begun
        if not chunk:
            return
        size += len(chunk)
        if size > largest_bytes:
            raise _too_large(where, largest_bytes)
        if waited > longest_seconds:
            raise _endless(where, longest_seconds)
        yield chunk


def _unpack(response: requests.Response, packed: bytes, where: str, largest_bytes: int) -> bytes:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("gzip", "x-gzip"):
        return packed
    unpacked = b""
    while packed:
        unzip = zlib.decompressobj(wbits=31)
        try:
            unpacked += unzip.decompress(packed, largest_bytes + 1 - len(unpacked))
        except zlib.error:
            raise TemporaryError("the response is damaged", most_attempts=3) from None
        if len(unpacked) > largest_bytes:
            raise _too_large(where, largest_bytes)
        if not unzip.eof:
            raise TemporaryError("the response broke off", most_attempts=3)
        packed = unzip.unused_data
    return unpacked


def _endless(where: str, longest_seconds: float) -> ServiceError:
    return ServiceError(
        f"{where}: the response did not end within {longest_seconds:.0f} s; expected all of it by then. "
        "Check the service and the network."
    )


def _too_large(where: str, largest_bytes: int) -> OversizeError:
    return OversizeError(
        f"{where}: the response is larger than {largest_bytes >> 20} MiB; expected less. Ask whoever runs the server."
    )


@contextlib.contextmanager
def _explained_addresses(where: str) -> Iterator[None]:
    """Turn errors about an address, ours or a redirect's, into one that does not show it."""
    try:
        yield
    except ValueError:
        raise NoAddressError(
            f"{where}: not an HTTP address, or it redirects to one that is not; expected http:// or https://. Check the address in the configuration."
        ) from None


@contextlib.contextmanager
def _explained_failures(where: str) -> Iterator[None]:
    """Turn the many ways a request can fail into TemporaryError."""
    try:
        yield
    except requests.exceptions.TooManyRedirects:
        raise ServiceError(
            f"{where}: more than {_MOST_REDIRECTS} redirects in a row; expected a response. "
            "Check that the address is the service's, and what is in front of it."
        ) from None
    except EndlessHeadersError:
        raise _endless(where, LONGEST_HEADERS_SECONDS) from None
    except requests.exceptions.SSLError:
        raise TemporaryError(
            "no secure connection", most_attempts=3, remedy="Check the host's certificate and this machine's clock."
        ) from None
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise connection_failure_of(error) from None


def _is_web_page(response: requests.Response, body: bytes) -> bool:
    return "html" in response.headers.get("Content-Type", "").lower() or body.lstrip()[:1] == b"<"


def _date_of(response: requests.Response) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(response.headers.get("Date", "")).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
