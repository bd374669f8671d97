"""Patience with services: what is tried again, how long is waited, and when it ends."""

import pytest

from engagement.foundation.errors import ServiceError
from engagement.services.retries import RetryPolicy, TemporaryError, call_with_retries, temporary_failure_of


class Weather:
    """An action that fails as told, then succeeds; and the waits that were asked for."""

    def __init__(self, *failures: Exception):
        self.failures = list(failures)
        self.waits: list[float] = []
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"

    def policy(self, jitter: float = 1.0, **settings: float) -> RetryPolicy:
        return RetryPolicy(sleep=self.waits.append, jitter=lambda: jitter, **settings)


def test_waits_double_up_to_the_longest():
    weather = Weather(*(TemporaryError("answered 502") for _ in range(6)))
    policy = weather.policy(first_wait_seconds=1, longest_wait_seconds=10)
    assert call_with_retries(weather, "Service", policy) == "answer"
    assert weather.waits == [1, 2, 4, 8, 10, 10]


def test_waits_are_jittered_down_to_a_half():
    weather = Weather(TemporaryError("answered 502"), TemporaryError("answered 502"))
    call_with_retries(weather, "Service", weather.policy(jitter=0.0, first_wait_seconds=2))
    assert weather.waits == [1, 2]


def test_a_told_wait_is_waited_out_in_full():
    weather = Weather(TemporaryError("answered 429", wait_seconds=3000))
    call_with_retries(weather, "Service", weather.policy(longest_wait_seconds=10, budget_seconds=60))
    assert len(weather.waits) == 1
    assert 3000 < weather.waits[0] < 3001


def test_a_spent_budget_ends_in_an_error_that_says_where_and_what():
    weather = Weather(*(TemporaryError("answered 502 (Bad Gateway)") for _ in range(100)))
    with pytest.raises(
        ServiceError, match=r"RapidPro x\.org: runs\.json: answered 502 \(Bad Gateway\) \(\d+ attempts\)"
    ):
        call_with_retries(weather, "RapidPro x.org: runs.json", weather.policy(budget_seconds=30))
    assert sum(weather.waits) <= 30


def test_told_waits_have_a_budget_of_their_own():
    weather = Weather(*(TemporaryError("answered 429", wait_seconds=3600) for _ in range(5)))
    with pytest.raises(ServiceError, match="answered 429"):
        call_with_retries(weather, "Service", weather.policy(told_budget_seconds=7800))
    assert len(weather.waits) == 2


def test_most_attempts_bounds_what_is_more_likely_a_mistake():
    weather = Weather(*(TemporaryError("no host of that name is known", most_attempts=3) for _ in range(9)))
    with pytest.raises(ServiceError, match="no host of that name"):
        call_with_retries(weather, "Service", weather.policy())
    assert weather.calls == 3


def test_another_error_is_not_tried_again():
    weather = Weather(ServiceError("the token was refused"))
    with pytest.raises(ServiceError, match="token"):
        call_with_retries(weather, "Service", weather.policy())
    assert weather.calls == 1


@pytest.mark.parametrize(
    ("status", "headers", "wait_seconds"),
    [
        (429, {"Retry-After": "17"}, 17.0),
        (429, {}, None),
        # A date is read against the server's own clock, which need not be ours.
        (503, {"Retry-After": "Sun, 01 Mar 2020 10:00:30 GMT", "Date": "Sun, 01 Mar 2020 10:00:00 GMT"}, 30.0),
        (503, {"Retry-After": "Sun, 01 Mar 2020 10:00:00 GMT", "Date": "Sun, 01 Mar 2020 10:00:09 GMT"}, 0.0),
        (503, {"Retry-After": "soon"}, None),
        (500, {}, None),
    ],
)
def test_an_answer_worth_another_try_tells_how_long_to_wait(status, headers, wait_seconds):
    failure = temporary_failure_of(status, "reason", headers)
    assert failure is not None
    assert failure.wait_seconds == wait_seconds


@pytest.mark.parametrize("status", [200, 301, 400, 403, 404])
def test_an_answer_that_another_try_would_not_change_is_none(status):
    assert temporary_failure_of(status, "reason", {"Retry-After": "1"}) is None


@pytest.mark.parametrize("told", ["Sun, 06 Nov 1994 08:49:37 +99999999999999", "-5", "soon", ""])
def test_a_told_wait_that_is_no_time_is_none(told):
    headers = {"Retry-After": told, "Date": "Sun, 06 Nov 1994 08:49:37 GMT"}
    failure = temporary_failure_of(429, "Too Many Requests", headers)
    assert failure is not None
    assert failure.wait_seconds is None


def test_a_servers_own_reason_is_not_shown():
    failure = temporary_failure_of(502, "Bad Token aToken 0712345678", {})
    assert failure is not None
    assert failure.reason == "answered 502 (no usual reason given)"


def test_a_wait_that_is_too_long_is_told():
    weather = Weather(TemporaryError("answered 429", wait_seconds=86_400))
    with pytest.raises(ServiceError, match="answered 429 and asks to wait 1,440 minutes; expected an answer"):
        call_with_retries(weather, "Service", weather.policy())
    assert weather.waits == []
