"""One retry policy for every service: temporary failures are retried, with growing, jittered waits.

Honours the wait that a service asks for (Retry-After). A request has a budget for its waits, so if a service stays
away, the run ends with a message instead of hanging.
"""

import email.utils
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from engagement.foundation.errors import ServiceError

if TYPE_CHECKING:
    from tenacity import RetryCallState

_logger = logging.getLogger(__name__)

_PHRASES = frozenset(status.phrase for status in HTTPStatus)


@dataclass(frozen=True)
class RetryPolicy:
    """Limits on retrying one request: waits double from the first to the longest, within a total budget.

    `told_budget_seconds` applies when the service itself says how long to wait: RapidPro's Retry-After can be nearly an
    hour.
    """

    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    budget_seconds: float = 900.0
    told_budget_seconds: float = 7800.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def wait_seconds(self, attempt: "RetryCallState") -> float:
        """Return the wait after a failed attempt."""
        failure = _failure_of(attempt)
        if failure.wait_seconds is not None:
            # A little longer than asked: clocks differ, and we should not be the first of many callers.
            return failure.wait_seconds + 0.25 * (1 + self.jitter())
        growing = self.first_wait_seconds * 2.0 ** min(attempt.attempt_number - 1, 30)
        return min(growing, self.longest_wait_seconds) * (0.5 + 0.5 * self.jitter())

    def is_spent(self, attempt: "RetryCallState") -> bool:
        """Tell whether the next wait would exceed the budget, or the attempts are used up."""
        failure = _failure_of(attempt)
        if failure.most_attempts is not None and attempt.attempt_number >= failure.most_attempts:
            return True
        budget = self.budget_seconds if failure.wait_seconds is None else self.told_budget_seconds
        return attempt.idle_for + attempt.upcoming_sleep > budget


class TemporaryError(Exception):
    """A failure that is worth a retry.

    `reason` is one fact for a person, e.g. "answered 502 (Bad Gateway)". `wait_seconds` is the wait that the service
    asked for. `most_attempts` limits retries of what is probably a mistake, such as an unknown host name.
    """

    def __init__(
        self,
        reason: str,
        wait_seconds: float | None = None,
        most_attempts: int | None = None,
        remedy: str | None = None,
    ):
        super().__init__(reason)
        self.reason = reason
        self.wait_seconds = wait_seconds
        self.most_attempts = most_attempts
        self.remedy = remedy or "Check the service and the network, and run this again: whatever arrived is kept."


def call_with_retries[T](action: Callable[[], T], where: str, policy: RetryPolicy) -> T:
    """Call `action` until it raises no TemporaryError; messages call the request `where`.

    Raises
    ------
    ServiceError
        The budget or the failure's attempts are used up.
    """
    try:
        return action()
    except TemporaryError as failure:
        return _retry(failure, action, where, policy)


def _retry[T](first: TemporaryError, action: Callable[[], T], where: str, policy: RetryPolicy) -> T:
    """Go on after the first failure."""
    # Imported here, as it imports asyncio and takes a tenth of a quiet stage, in which nothing fails.
    import tenacity

    failed = [first]

    def act() -> T:
        if failed:
            raise failed.pop()
        return action()

    def say(attempt: "RetryCallState") -> None:
        _logger.warning(
            "%s: %s; trying again in %.0f s (attempt %d)",
            where,
            _failure_of(attempt).reason,
            attempt.upcoming_sleep,
            attempt.attempt_number + 1,
        )

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TemporaryError),
        wait=policy.wait_seconds,
        stop=policy.is_spent,
        sleep=policy.sleep,
        before_sleep=say,
        reraise=True,
    )
    try:
        return retrying(act)
    except TemporaryError as failure:
        tries = retrying.statistics.get("attempt_number", 1)
        times = "" if tries == 1 else f" ({tries} attempts)"
        asked = f" and asks to wait {failure.wait_seconds / 60:,.0f} minutes" if failure.wait_seconds else ""
        raise ServiceError(f"{where}: {failure.reason}{times}{asked}; expected an answer. {failure.remedy}") from None


def temporary_failure_of(status: int, reason: str, headers: Mapping[str, str]) -> TemporaryError | None:
    """Return a TemporaryError for a status worth a retry (429, 408 and 5xx); None for any other."""
    if status not in (408, 429) and status < 500:
        return None
    # A server can put anything into its reason, even the token that it got.
    shown = reason if reason in _PHRASES else "no usual reason given"
    return TemporaryError(f"answered {status} ({shown})", _told_wait_seconds(headers))


def _told_wait_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the Retry-After wait: seconds, or a date compared with the server's own clock."""
    told = headers.get("Retry-After", "").strip()
    if told.isdecimal():
        return float(told)
    try:
        until = email.utils.parsedate_to_datetime(told)
        now = email.utils.parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def _failure_of(attempt: "RetryCallState") -> TemporaryError:
    if attempt.outcome is not None:
        failure = attempt.outcome.exception()
        if isinstance(failure, TemporaryError):
            return failure
    raise TypeError("only temporary failures are retried")
