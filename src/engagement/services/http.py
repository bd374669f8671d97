"""HTTP as every service here does it: one connection kept open, a limit on all that an answer can take, patience with bad weather.

An address of a storage service can hold its own key: no message and no log names more of one than its path.
"""

import contextlib
import email.utils
import logging
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import requests
import urllib3

from engagement.foundation.errors import ServiceError
from engagement.services.header_deadline import LONGEST_HEADERS_SECONDS, DeadlineAdapter, EndlessHeadersError
from engagement.services.retries import RetryPolicy, TemporaryError, call_with_retries, temporary_failure_of

_CONNECT_TIMEOUT_SECONDS = 20.0
_READ_TIMEOUT_SECONDS = 120.0
# A page of RapidPro has some hundred KB, and the slowest line that is of use brings a KB a second.
_LARGEST_ANSWER_BYTES = 24 << 20
_LONGEST_ANSWER_SECONDS = 120.0
_SLOWEST_STREAM_BYTES_A_SECOND = 10_000
_LARGEST_REFUSAL_BYTES = 1 << 16
_LONGEST_REFUSAL_SECONDS = 10.0
_MOST_REDIRECTS = 5
_CHUNK_BYTES = 1 << 18
_QUERY = re.compile(r"\?[^\s\"')>,]+")


class RefusedError(Exception):
    """The service answered with a status that another try would not change. `body` is what it said of it, as far as that is short."""

    def __init__(self, status: int, body: bytes = b""):
        super().__init__(f"status {status}")
        self.status = status
        self.body = body


class NoAddressError(ServiceError):
    """What was to be asked is no address that HTTP knows."""


@dataclass(frozen=True)
class DecodedResponse[Body]:
    """A whole answer. `answered_on` is the server's own clock, where it told it."""

    body: Body
    answered_on: datetime | None


class HttpSession:
    """Requests to one service. `where` names it in every message; the headers (the token among them) are in none."""

    def __init__(self, where: str, headers: Mapping[str, str], policy: RetryPolicy):
        self.where = where
        self.policy = policy
        # Unpacked here, and not by the library, so that what an answer unpacks to has a limit.
        self._headers = {**headers, "Accept-Encoding": "gzip"}
        self._session = requests.Session()
        self._session.max_redirects = _MOST_REDIRECTS
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, DeadlineAdapter())
        # Without this an entry in ~/.netrc would replace the token's header.
        self._session.auth = _keep_headers

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session.close()

    def get[Body](self, url: str, what: str, decode: Callable[[bytes], Body]) -> DecodedResponse[Body]:
        """Ask for a whole answer and decode it; `decode` raises TemporaryError for a body that another try may mend.

        Raises
        ------
        RefusedError
            The status is 4xx, but for the ones worth another try.
        ServiceError
            The service can't be reached, answers more than is sane or without an end, or a web page where data was expected.
        """
        where = f"{self.where}: {what}"

        def ask() -> DecodedResponse[Body]:
            with self._open(url, where, self._headers) as response:
                with _explained_failures(where):
                    body = _read_whole(response, where)
                if _is_web_page(response, body):
                    raise ServiceError(
                        f"{self.where}: {what} answered a web page; expected JSON. "
                        "Check that the address is that of the service, and that no login page or proxy stands before it."
                    )
                return DecodedResponse(decode(body), _date_of(response))

        return call_with_retries(ask, where, self.policy)

    def stream(self, url: str, what: str, largest_bytes: int, expected_bytes: int) -> Iterator[bytes]:
        """Give the bytes of a presigned address, which needs none of the session's headers, as they arrive.

        Raises
        ------
        TemporaryError
            The connection failed or broke off. Who reads begins again.
        RefusedError
            The status is 4xx, but for the ones worth another try.
        ServiceError
            There are more than `largest_bytes`, or they take longer than so many as `expected_bytes` can.
        """
        where = f"{self.where}: {what}"
        longest = _LONGEST_ANSWER_SECONDS + expected_bytes / _SLOWEST_STREAM_BYTES_A_SECOND
        # The raw bytes: an archive is a gzip file, whatever Content-Encoding says of it.
        headers = {"Accept-Encoding": "identity"}
        with self._open(url, where, headers) as response, _explained_failures(where):
            yield from _chunks(response, where, largest_bytes, longest)

    def _open(self, url: str, where: str, headers: Mapping[str, str]) -> requests.Response:
        with _explained_failures(where), _explained_addresses(where):
            response = self._session.get(
                url,
                headers=dict(headers),
                timeout=(_CONNECT_TIMEOUT_SECONDS, _READ_TIMEOUT_SECONDS),
                stream=True,
            )
        failure = temporary_failure_of(response.status_code, response.reason, response.headers)
        if failure is None and response.status_code < 400:
            return response
        with response:
            # Read to its end where that is near, so that the connection can be used again.
            body = b""
            with contextlib.suppress(TemporaryError, ServiceError), _explained_failures(where):
                body = _unpack(
                    response,
                    b"".join(_chunks(response, where, _LARGEST_REFUSAL_BYTES, _LONGEST_REFUSAL_SECONDS)),
                    where,
                    _LARGEST_REFUSAL_BYTES,
                )
            raise failure or RefusedError(response.status_code, body)


def _read_whole(response: requests.Response, where: str) -> bytes:
    # In large pieces: in the small ones that requests reads by, a page of runs takes twice as long.
    packed = b"".join(_chunks(response, where, _LARGEST_ANSWER_BYTES, _LONGEST_ANSWER_SECONDS))
    return _unpack(response, packed, where, _LARGEST_ANSWER_BYTES)


def _chunks(response: requests.Response, where: str, largest_bytes: int, longest_seconds: float) -> Iterator[bytes]:
    """The bytes of an answer as they arrive. What whoever takes them does meanwhile is not counted as waiting."""
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
            raise TemporaryError("the answer is damaged", most_attempts=3) from None
        if len(unpacked) > largest_bytes:
            raise _too_large(where, largest_bytes)
        if not unzip.eof:
            raise TemporaryError("the answer broke off", most_attempts=3)
        packed = unzip.unused_data
    return unpacked


def _endless(where: str, longest_seconds: float) -> ServiceError:
    return ServiceError(
        f"{where}: the answer did not end within {longest_seconds:.0f} s; expected all of it by then. "
        "Check the service and the network."
    )


def _too_large(where: str, largest_bytes: int) -> ServiceError:
    return ServiceError(
        f"{where}: the answer is larger than {largest_bytes >> 20} MiB; expected less. Ask whoever runs the server."
    )


@contextlib.contextmanager
def _explained_addresses(where: str) -> Iterator[None]:
    """Turn what the libraries raise for an address, of ours or of a redirect, into an error that does not name it."""
    try:
        yield
    except ValueError:
        raise NoAddressError(
            f"{where}: not an address of HTTP, or one that redirects to none. Check the address in the configuration."
        ) from None


@contextlib.contextmanager
def _explained_failures(where: str) -> Iterator[None]:
    """Turn the many ways in which a request fails on its way into TemporaryError."""
    try:
        yield
    except requests.exceptions.TooManyRedirects:
        raise ServiceError(
            f"{where}: more than {_MOST_REDIRECTS} redirects, one after another; expected an answer. "
            "Check that the address is that of the service, and what stands before it."
        ) from None
    except EndlessHeadersError:
        raise _endless(where, LONGEST_HEADERS_SECONDS) from None
    except requests.exceptions.SSLError:
        raise TemporaryError(
            "no secure connection", most_attempts=3, remedy="Check the host's certificate and this machine's clock."
        ) from None
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise _failure_of(error) from None


def _failure_of(error: Exception) -> TemporaryError:
    # The error's own text can hold the whole address, with a presigned key in it: only its kind is told.
    causes = _causes(error)
    if any(isinstance(cause, urllib3.exceptions.NameResolutionError) for cause in causes):
        return TemporaryError(
            "no host of that name is known", most_attempts=3, remedy="Check the address and the network."
        )
    # Before time-outs, which urllib3 counts it among.
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return TemporaryError("the connection was refused", most_attempts=8)
    if any(isinstance(cause, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError) for cause in causes):
        return TemporaryError("no answer in time")
    return TemporaryError("the connection broke off")


def _causes(error: BaseException) -> list[object]:
    """The error and what lies within it: requests and urllib3 wrap one another as causes, arguments and reasons."""
    found: list[object] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or any(cause is known for known in found):
            continue
        found.append(cause)
        waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
    return found


def _is_web_page(response: requests.Response, body: bytes) -> bool:
    return "html" in response.headers.get("Content-Type", "").lower() or body.lstrip()[:1] == b"<"


def _date_of(response: requests.Response) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(response.headers.get("Date", "")).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def strip_queries(text: str) -> str:
    """Cut off what follows "?" in addresses.

    >>> strip_queries("GET https://storage.example.org/a.gz?Signature=abc&Expires=1 failed")
    'GET https://storage.example.org/a.gz?… failed'
    """
    return _QUERY.sub("?…", text)


class _WithoutQueries(logging.Filter):
    """Takes what follows "?" out of the addresses that the library logs, and its tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = strip_queries(record.getMessage()), None
        record.exc_info = record.exc_text = None
        return True


for _name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(_WithoutQueries())


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
