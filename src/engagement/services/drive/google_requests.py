"""The connection to Google Drive, and its errors in plain words."""

import contextlib
import http.client
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import google.auth.exceptions
import google_auth_httplib2
import httplib2
from google.oauth2 import service_account
from googleapiclient import discovery, discovery_cache
from googleapiclient.errors import HttpError
from googleapiclient.http import build_http

from engagement.foundation.errors import ConfigurationError, PipelineError, ServiceError
from engagement.services.credentials import GoogleCredentials
from engagement.services.retries import TemporaryError, temporary_failure_of

_SCOPES = ("https://www.googleapis.com/auth/drive",)
_TIMEOUT_SECONDS = 120
_TOO_FAST = frozenset({"userRateLimitExceeded", "rateLimitExceeded", "sharingRateLimitExceeded"})
_FULL = frozenset({"storageQuotaExceeded", "teamDriveFileLimitExceeded"})


# Makes an error from the account, what was asked for, and Drive's answer.
Refuse = Callable[[str, str, str], PipelineError]


class MissingError(Exception):
    """The file does not exist, or the account may not see it."""


class ExistsError(Exception):
    """A file with this id already exists."""


def connect(credentials: GoogleCredentials, root_url: str | None, scopes: Sequence[str] = _SCOPES) -> Any:
    """Create the client of Drive's API; its description is in the package, so this sends no request."""
    description = json.loads(discovery_cache.get_static_doc("drive", "v3"))
    if root_url is not None:
        # Uploads follow only this setting; they ignore an endpoint in the client's options.
        description["rootUrl"] = root_url
    try:
        account = service_account.Credentials.from_service_account_info(dict(credentials.info), scopes=scopes)
    except (ValueError, google.auth.exceptions.GoogleAuthError):
        raise ConfigurationError(
            f"project {credentials.project_id}: the service account's key can't be read; expected a whole one. "
            "Download the key again."
        ) from None
    connection = build_http()
    connection.timeout = _TIMEOUT_SECONDS
    return discovery.build_from_document(
        description, http=google_auth_httplib2.AuthorizedHttp(account, http=connection)
    )


@contextlib.contextmanager
def explained_failures(account: str, path: str, refuse: Refuse | None = None) -> Iterator[None]:
    """Turn errors of Drive and the network into the project's own; their texts are not shown.

    `refuse` makes the error for a missing permission: by default, permission to write.
    """
    try:
        yield
    except HttpError as error:
        raise _failure_of(error, account, path, refuse or no_leave) from None
    except google.auth.exceptions.RefreshError as error:
        if error.retryable:
            raise TemporaryError("gave no token") from None
        raise ServiceError(
            f"Drive: the key of {account} was refused; expected a valid one. Check the credentials file, and this "
            "machine's clock."
        ) from None
    except (google.auth.exceptions.TransportError, httplib2.HttpLib2Error, http.client.HTTPException, OSError) as error:
        raise TemporaryError(f"did not answer ({type(error).__name__})") from None


def _failure_of(error: HttpError, account: str, path: str, refuse: Refuse) -> Exception:
    status, reasons = int(error.resp.status), _reasons_of(error)
    if status in (404, 410):
        return MissingError()
    if status == 409:
        return ExistsError()
    if status == 403 and reasons & _TOO_FAST:
        return TemporaryError("asks for fewer requests")
    if reasons & _FULL:
        return no_room(account, path)
    told = {name: error.resp.get(name.lower(), "") for name in ("Retry-After", "Date")}
    failure = temporary_failure_of(status, str(error.resp.reason), told)
    if failure is not None:
        return failure
    why = f"{status} ({', '.join(sorted(reasons)) or 'no reason given'})"
    return refuse(account, path, f"answered {why}")


def no_room(account: str, path: str) -> ServiceError:
    """Return the error for a file that would belong to the account itself."""
    return ServiceError(
        f"Drive: no room for {path!r}: {account} is a service account, which has no storage of its own and can't create "
        "a file in a folder that is only shared with it; expected a shared drive. Move the folder to a shared drive "
        "that the account is a Content manager of (or put an empty file of that name there yourself: it is then updated)."
    )


def no_leave(account: str, path: str, why: str) -> ServiceError:
    """Return the error for a missing write permission."""
    return ServiceError(
        f"Drive: {path!r}: {why}; expected write permission. Share the folder or shared drive with {account} as "
        "Editor or Content manager, and check that its project has the Drive API switched on."
    )


def _reasons_of(error: HttpError) -> set[str]:
    """Return Drive's codes for a refusal, like storageQuotaExceeded; its sentences can contain anything."""
    try:
        problems = json.loads(error.content)["error"]["errors"]
        return {reason for problem in problems if (reason := str(problem.get("reason", ""))).isalpha()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return set()
