"""One way to be patient with every service: what failed for a moment is tried again, in growing, jittered waits.

A service that says how long to wait (Retry-After) is taken at its word. The waits of one request have a budget, so that a
service that stays away ends the run with a message and not with a process that hangs.
"""

import email.utils
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import tenacity

from engagement.foundation.errors import ServiceError

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetryPolicy:
    """How long one request may be tried: waits double from the first to the longest, within a budget in total.

    `told_budget_seconds` is the budget where the service itself says how long to wait: RapidPro's Retry-After can be nearly
    an hour.
    """

    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    budget_seconds: float = 900.0
    told_budget_seconds: float = 7800.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def wait_seconds(self, attempt: tenacity.RetryCallState) -> float:
        """How long to wait after an attempt that failed."""
        failure = _failure_of(attempt)
        if failure.wait_seconds is not None:
            # A little more than was asked for: clocks differ, and the next caller should not be the first of many.
            return failure.wait_seconds + 0.25 * (1 + self.jitter())
        growing = self.first_wait_seconds * 2.0 ** min(attempt.attempt_number - 1, 30)
        return min(growing, self.longest_wait_seconds) * (0.5 + 0.5 * self.jitter())

    def is_spent(self, attempt: tenacity.RetryCallState) -> bool:
        """Whether the next wait would be more than the budget, or the attempts are used up."""
        failure = _failure_of(attempt)
        if failure.most_attempts is not None and attempt.attempt_number >= failure.most_attempts:
            return True
        budget = self.budget_seconds if failure.wait_seconds is None else self.told_budget_seconds
        return attempt.idle_for + attempt.upcoming_sleep > budget


class TemporaryError(Exception):
    """What a service answered is worth another try.

    `reason` is one fact for a person, e.g. "answered 502 (Bad Gateway)". `wait_seconds` is what the service asked for.
    `most_attempts` bounds the tries of what is more likely a mistake than bad weather, e.g. a host that nobody knows.
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
        self.remedy = remedy or "Check the service and the network, and run this again: what arrived is kept."


def call_with_retries[T](action: Callable[[], T], where: str, policy: RetryPolicy) -> T:
    """Call `action` until it does not raise TemporaryError. `where` names service and request in messages.

    Raises
    ------
    ServiceError
        The budget is spent, or the failure's number of attempts.
    """

    def say(attempt: tenacity.RetryCallState) -> None:
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
        return retrying(action)
    except TemporaryError as failure:
        tries = retrying.statistics.get("attempt_number", 1)
        times = "" if tries == 1 else f" ({tries} attempts)"
        raise ServiceError(f"{where}: {failure.reason}{times}; expected an answer. {failure.remedy}") from None


def temporary_failure_of(status: int, reason: str, headers: Mapping[str, str]) -> TemporaryError | None:
    """Tell whether an HTTP answer is worth another try: 429, 408 and 5xx are, anything else is None."""
    if status not in (408, 429) and status < 500:
        return None
    return TemporaryError(f"answered {status} ({reason or 'no reason given'})", _told_wait_seconds(headers))


def _told_wait_seconds(headers: Mapping[str, str]) -> float | None:
    """What Retry-After says, in seconds or as a date, which is read against the server's own clock."""
    told = headers.get("Retry-After", "").strip()
    if told.isdecimal():
        return float(told)
    try:
        until = email.utils.parsedate_to_datetime(told)
        now = email.utils.parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None


def _failure_of(attempt: tenacity.RetryCallState) -> TemporaryError:
    if attempt.outcome is not None:
        failure = attempt.outcome.exception()
        if isinstance(failure, TemporaryError):
            return failure
    raise TypeError("only a temporary failure is waited for")
