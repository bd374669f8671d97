"""The KoboToolbox client against a server on this machine."""

import json
import re

import pytest

import fake_kobo
from engagement.foundation.errors import ServiceError
from engagement.services.kobo.client import KoboClient
from engagement.services.kobo.rows import read_submissions
from engagement.services.retries import RetryPolicy
from fake_kobo import ASSET, TOKEN, Kobo, submission

KEYS = ["_submission_time", "show/s05"]


@pytest.fixture
def kobo():
    return Kobo({ASSET: [submission(number) for number in range(1, 31)]})


@pytest.fixture
def client(kobo):
    policy = RetryPolicy(sleep=lambda _: None, budget_seconds=5)
    with fake_kobo.serve(kobo) as address, KoboClient(address, TOKEN, policy) as client:
        yield client


def listed(client):
    return [row.id - 481000 for page in client.listing(ASSET) for row in page.rows]


def fetched(client, runs, keys=KEYS):
    pages = client.submissions(ASSET, [[481000 + number for number in run] for run in runs], keys)
    return [row for page in pages for row in page.rows]


def test_every_request_has_a_limit_and_goes_on_by_key(kobo, client):
    kobo.most_rows = 7
    assert listed(client) == list(range(1, 31))
    assert len(kobo.requests) == 6
    assert all("limit=1000" in path and 'sort={"_id":1}' in path and "start=" not in path for path in kobo.requests)


def test_a_server_that_gives_larger_pages_is_read_the_same_way(kobo, client):
    kobo.era = 2025
    assert listed(client) == list(range(1, 31))
    assert client.count(ASSET) == 30


def test_submissions_deleted_and_added_between_pages_hide_no_others(kobo, client):
    kobo.most_rows = 10
    kobo.between += [lambda: kobo.rows.pop(0), lambda: kobo.rows.append(submission(31))]
    assert listed(client) == list(range(1, 32))


def test_a_listing_brings_no_answers(kobo, client):
    kobo.rows[1]["_validation_status"] = {"uid": "validation_status_not_approved", "label": "Not approved"}
    (page,) = client.listing(ASSET)
    assert [row.id for row in page.rows if row.is_rejected] == [481002]
    assert page.rows[0].uuid == kobo.rows[0]["_uuid"]
    assert 'fields=["_id","_uuid","_validation_status"]' in kobo.requests[0]


def test_scattered_submissions_are_named_and_long_runs_are_ranges(kobo, client):
    kobo.forms[ASSET] = [submission(number) for number in range(1, 401)]
    scattered = [[number] for number in range(201, 401, 2)]
    rows = fetched(client, [range(1, 151), *scattered, range(400, 401)])
    assert sorted(row.id - 481000 for row in rows) == [*range(1, 151), *range(201, 401, 2), 400]
    asked = [json.loads(re.search(r"query=({.*?}})", path)[1])["_id"] for path in kobo.requests]
    assert [sorted(one) for one in asked] == [["$gt", "$gte", "$lte"], ["$gt", "$in"], ["$gt", "$in"]]
    assert [len(one.get("$in", ())) for one in asked] == [0, 100, 1]


def test_only_the_keys_asked_for_come(client):
    (row,) = fetched(client, [[3]])
    assert row.values.keys() == {"_id", "_uuid", "meta/rootUuid", "_validation_status", "_submission_time", "show/s05"}


def test_more_keys_than_an_address_has_room_for_bring_whole_submissions(kobo, client):
    rows = fetched(client, [range(1, 31)], [*KEYS, *(f"group_{number}/question_{number}" for number in range(150))])
    assert rows[0].values["about/age"] == "21"
    assert max(map(len, kobo.requests)) < 1000


def test_submissions_deleted_since_the_listing_are_missing_and_the_reading_ends(kobo, client):
    del kobo.rows[27:]
    assert [row.id - 481000 for row in fetched(client, [[2], [28], [30]])] == [2]
    assert kobo.asked() == 2


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"maji safi 2"', '"maji \\ud83d"', None),  # Half a character, as old phones send.
        ('"maji safi 2"', '"maji \xff"', "text that is not UTF-8"),
        ('"maji safi 2"', "[" * 5000 + "]" * 5000, "nested too deeply"),
        ('"maji safi 2"', "NaN", "not JSON"),
        ('"_id": 481002', '"_id": "481002"', "Expected `int`, got `str` - at `$._id`"),
    ],
)
def test_a_submission_that_cannot_be_read_stands_beside_the_others(kobo, client, old, new, reason):
    def answer(request):
        body = json.dumps(request._answer()).replace(old, new)
        return request.reply(200, body.encode("latin-1"))

    kobo.trouble.append(lambda request: "query" in request.query and answer(request))
    pages = list(client.submissions(ASSET, [[481001], [481002], [481003]], KEYS))
    assert [row.id - 481000 for row in pages[0].rows] == ([1, 2, 3] if reason is None else [1, 3])
    assert [row.reason for row in pages[0].unreadable] == ([reason] if reason else [])
    if reason is None:
        assert pages[0].rows[1].values["show/s05"] == "maji \ufffd"


@pytest.mark.parametrize(
    "weather",
    [
        lambda request: request.reply(502, b"<html>Bad Gateway</html>", kind="text/html"),
        lambda request: request.reply(504, b""),
        lambda request: request.reply(429, b"{}", {"Retry-After": "1"}),
        lambda request: request.break_off(),
        lambda request: request.reply(200, b'{"count": 3, "results": ['),
    ],
)
def test_bad_weather_is_waited_out(kobo, client, weather):
    kobo.trouble.append(weather)
    assert listed(client) == list(range(1, 31))


@pytest.mark.parametrize(
    ("status", "answer", "found"),
    [
        (401, {"detail": f"Invalid token {TOKEN}."}, r"the token was refused \(status 401: Invalid token ….\); .* 'Security'"),
        (403, {}, r"the token was refused \(status 403\); "),
        (404, {"detail": "Not found."}, r"not found \(status 404: Not found.\); expected a deployed form that is shared"),
        (400, {"detail": ["The form of 0712000004 was never deployed"]}, r"status 400: The form of … was never.* deploy it"),
        (418, {}, "answered status 418; expected 200. Check that Server names a KoboToolbox server."),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_do(kobo, client, status, answer, found):
    kobo.trouble.append(lambda request: request.reply(status, json.dumps(answer).encode()))
    with pytest.raises(
        ServiceError, match=rf"KoboToolbox http://\S+: submissions of form {ASSET}: .*{found}"
    ) as refused:
        listed(client)
    assert TOKEN not in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"results": []}, "Object missing required field `count`"),
        ([], "Expected `object`, got `array`"),
        ({"count": 1, "results": [{"uuid": "x"}]}, "'_id' is missing in a whole page"),
        ({"count": 9, "results": [{"_id": 0}]}, "submissions came that were not asked for"),
        ({"count": 9, "results": [{"_id": 1}] * 30_001}, "30001 submissions on one page"),
    ],
)
def test_what_is_not_kobo_is_told(kobo, client, answer, found):
    kobo.trouble.append(lambda request: request.reply(200, json.dumps(answer).encode()))
    with pytest.raises(ServiceError, match=re.escape(found)):
        listed(client)


def test_a_server_that_ignores_the_key_ends_in_an_error(kobo, client):
    page = json.dumps({"count": 2, "results": [{"_id": 481001}, {"_id": 481002}]}).encode()
    kobo.trouble += [lambda request: request.reply(200, page)] * 3
    with pytest.raises(ServiceError, match="submissions came that were not asked for"):
        listed(client)


def test_a_form_says_its_questions_and_labels(client):
    form = client.form(ASSET)
    assert (form.name, form.is_survey, form.is_deployed) == ("Invented listening group", True, True)
    assert {"start", "about/phone", "show/heard", "show/kids/kid_age", "voice"} <= form.questions.keys()
    assert form.questions["show/heard"] == ("select_multiple", "channels") and form.labels["gender"] == {
        "f": "Female",
        "m": "Male",
    }
    assert not {"about", "show", "show/kids"} & form.questions.keys()
    assert [path for path, question in form.questions.items() if question.is_metadata] == ["start", "end"]
    assert [path for path, question in form.questions.items() if question.is_file] == ["voice"]


def test_a_server_says_whether_a_question_was_ever_answered(kobo, client):
    kobo.rows[7]["s05_old"] = "maji"
    assert client.has_answer(ASSET, "s05_old") and not client.has_answer(ASSET, "s05_misspelt")


@pytest.mark.parametrize("value", ["[" * 5000 + "]" * 5000, "NaN", "1" * 5000])
def test_a_submission_that_cannot_be_read_is_known_by_its_number_even_alone(value):
    page = read_submissions(b'{"count": 1, "results": [{"_uuid": "u", "answer": %s, "_id": 481002}]}' % value.encode())
    assert [row.id for row in page.unreadable] == [481002]


def test_submissions_in_another_order_are_refused_as_the_next_page_would_leave_some_out(kobo, client):
    def answer(request):
        body = request._answer()
        return request.reply(200, json.dumps({**body, "results": body["results"][::-1]}).encode())

    kobo.trouble.append(lambda request: "query" in request.query and answer(request))
    with pytest.raises(ServiceError, match="not in the order of '_id'"):
        list(client.listing(ASSET))


def test_a_refusal_nested_deeply_is_explained(kobo, client):
    kobo.trouble.append(lambda request: request.reply(400, b"[" * 900 + b"]" * 900))
    with pytest.raises(ServiceError, match="the question was refused"):
        list(client.listing(ASSET))
