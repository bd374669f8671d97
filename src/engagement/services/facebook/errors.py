"""Errors of the Graph API, by their codes, and what each means for an operator."""

import json
from collections.abc import Mapping

import msgspec

from engagement.foundation.errors import ServiceError
from engagement.services.told_texts import hide_identities

_LONGEST_MESSAGE = 200
_TOKEN_CODES = frozenset({102, 104, 190})
_TOO_MANY_CALLS = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
_TEMPORARY = frozenset({1, 2})
# Facebook counts calls by the hour; without its word of when to come back, a while.
_WAIT_SECONDS = 300.0
_SUBCODES = {
    458: "the app is no longer allowed by its user",
    459: "its user has to log in to Facebook first",
    460: "its user changed the password",
    463: "it has expired",
    464: "its user's account is not confirmed",
    467: "it is not valid any more",
    492: "its user has no role on the page any more",
}


class _Told(msgspec.Struct):
    code: int = 0
    error_subcode: int | None = None
    message: str = ""
    is_transient: bool | None = None


class _Body(msgspec.Struct):
    error: _Told


class GraphError(Exception):
    """A refusal with a code. `wait_seconds` is how long Facebook wants to be left alone, if it says so."""

    def __init__(self, status: int, told: _Told, wait_seconds: float | None):
        super().__init__(f"code {told.code}")
        self.status = status
        self.code = told.code
        self.subcode = told.error_subcode
        self.message = told.message
        self.wait_seconds = wait_seconds
        self.is_temporary = told.code in _TEMPORARY or told.is_transient is True or status >= 500

    @property
    def is_too_many_calls(self) -> bool:
        """Tell whether the page's or the app's calls are used up for now."""
        return self.code in _TOO_MANY_CALLS or self.status == 429

    @property
    def is_missing(self) -> bool:
        """Tell whether the object is missing or may not be seen; Facebook does not say which."""
        return self.code == 100 and self.subcode == 33

    def told(self) -> str:
        """Name the code."""
        return f"code {self.code}" + (f", subcode {self.subcode}" if self.subcode else "")


def find_graph_error(status: int, body: bytes, headers: Mapping[str, str]) -> GraphError | None:
    """Read the error in a refusal; None if it is not Facebook's."""
    try:
        told = msgspec.json.decode(body, type=_Body).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return GraphError(status, told, _wait_seconds(headers) if status == 429 or told.code in _TOO_MANY_CALLS else None)


def explain(error: GraphError, where: str, token: str) -> ServiceError:
    """Say what a refusal means, and what to do."""
    code = error.told()
    if error.code in _TOKEN_CODES:
        reason = _SUBCODES.get(error.subcode or 0, "it is not valid")
        return ServiceError(
            f"{where}: the token was refused ({code}): {reason}; expected a page token. Make a new page token, and put it into the "
            "file that TokenFileURL names."
        )
    if error.code == 10 or 200 <= error.code <= 299:
        return ServiceError(
            f"{where}: the token may not read this ({code}); expected a page token of somebody with the task MODERATE, with the "
            "permissions pages_read_engagement and pages_read_user_content. Make one, and put it into the file that "
            "TokenFileURL names."
        )
    if error.is_missing:
        return ServiceError(
            f"{where}: does not exist, or the token may not see it ({code}); expected it on the page of the token. Check its id, "
            "and the page of the token."
        )
    said = _clean(error.message, token)
    return ServiceError(
        f"{where}: refused ({code}{': ' if said else ''}{said}); expected an answer. Check GraphVersion and PageID, and what "
        "Facebook's changelog says of this version."
    )


def _wait_seconds(headers: Mapping[str, str]) -> float:
    """Read how long to wait: the longest of the times that the header names, in minutes."""
    try:
        usage = json.loads(headers.get("X-Business-Use-Case-Usage", "{}"))
        minutes = [float(use.get("estimated_time_to_regain_access", 0)) for uses in usage.values() for use in uses]
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return _WAIT_SECONDS
    # NaN and times in the past are no wait.
    return max((time for time in minutes if time > 0), default=0.0) * 60 or _WAIT_SECONDS


def _clean(text: str, token: str) -> str:
    return hide_identities(text, token)[:_LONGEST_MESSAGE]
