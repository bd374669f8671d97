"""HTTP as every service here does it: one connection kept open, a time-out on every request, patience with bad weather."""

import contextlib
import email.utils
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import requests
import urllib3

from engagement.errors import ServiceError
from engagement.services.retries import RetryPolicy, TemporaryError, call_with_retries, temporary_failure_of

_CONNECT_TIMEOUT_SECONDS = 20.0
_READ_TIMEOUT_SECONDS = 120.0
_CHUNK_BYTES = 1 << 20


class RefusedError(Exception):
    """The service answered with a status that another try would not change."""

    def __init__(self, status: int):
        super().__init__(f"status {status}")
        self.status = status


@dataclass(frozen=True)
class Answer[Body]:
    """A whole answer. `answered_on` is the server's own clock, where it told it."""

    body: Body
    answered_on: datetime | None


class HttpSession:
    """Requests to one service. `where` names it in every message; the headers (the token among them) are in none."""

    def __init__(self, where: str, headers: Mapping[str, str], policy: RetryPolicy):
        self.where = where
        self.policy = policy
        self._headers = headers
        self._session = requests.Session()
        # Without this an entry in ~/.netrc would replace the token's header.
        self._session.auth = _keep_headers

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session.close()

    def get[Body](self, url: str, what: str, decode: Callable[[bytes], Body]) -> Answer[Body]:
        """Ask for a whole answer and decode it; `decode` raises TemporaryError for a body that another try may mend.

        Raises
        ------
        RefusedError
            The status is 4xx, but for the ones worth another try.
        ServiceError
            The service can't be reached, or answers a web page where data was expected.
        """

        def ask() -> Answer[Body]:
            with self._open(url, self._headers) as response:
                with _explained_failures(self.where):
                    # At once: in the small pieces that requests reads by, a page of runs takes twice as long.
                    body = response.raw.read(decode_content=True)
                if _is_web_page(response, body):
                    raise ServiceError(
                        f"{self.where}: {what} answered a web page; expected JSON. "
                        "Check that the address is that of the service, and that no login page or proxy stands before it."
                    )
                return Answer(decode(body), _date_of(response))

        return call_with_retries(ask, f"{self.where}: {what}", self.policy)

    def stream(self, url: str) -> Iterator[bytes]:
        """Give the bytes of a presigned address, which needs none of the session's headers, as they arrive.

        Raises
        ------
        TemporaryError
            The connection failed or broke off. Who reads begins again.
        RefusedError
            The status is 4xx, but for the ones worth another try.
        """
        with self._open(url, {}) as response, _explained_failures(self.where):
            # The raw bytes: an archive is a gzip file, whatever Content-Encoding says of it.
            yield from response.raw.stream(_CHUNK_BYTES, decode_content=False)

    def _open(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        with _explained_failures(self.where):
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
            # Read to its end, so that the connection can be used again; what it says more is not needed.
            with contextlib.suppress(TemporaryError), _explained_failures(self.where):
                response.raw.read()
            raise failure or RefusedError(response.status_code)


@contextlib.contextmanager
def _explained_failures(where: str) -> Iterator[None]:
    """Turn the many ways in which a request fails on its way into TemporaryError."""
    try:
        yield
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema):
        raise ServiceError(f"{where}: not an address of HTTP. Check the address in the configuration.") from None
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
    except (TypeError, ValueError):
        return None


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
