"""Name what went wrong with a connection, without the address: it can contain a key."""

import requests
import urllib3

from engagement.services.retries import TemporaryError


def connection_failure_of(error: Exception) -> TemporaryError:
    """Return a TemporaryError that says in which way a connection failed."""
    # The error's own text can contain the whole address, including a presigned key: report only its kind.
    causes = _causes(error)
    if any(isinstance(cause, urllib3.exceptions.NameResolutionError) for cause in causes):
        return TemporaryError("host not found", most_attempts=3, remedy="Check the address and the network.")
    # Before time-outs: urllib3 counts it among them.
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return TemporaryError("the connection was refused", most_attempts=8)
    if any(isinstance(cause, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError) for cause in causes):
        return TemporaryError("no response in time")
    return TemporaryError("the connection broke off")


def _causes(error: BaseException) -> list[object]:
    """Return an error and all its causes; requests and urllib3 hide them in arguments and reasons, too."""
    found: list[object] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or any(cause is known for known in found):
            continue
        found.append(cause)
        waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
    return found
