"""The client of the Graph API against a server on this machine, in fair weather and foul."""

import json
import logging

import pytest

import fake_facebook
from engagement.foundation.errors import ServiceError
from engagement.services.facebook.client import GraphClient
from engagement.services.facebook.errors import find_graph_error
from engagement.services.retries import RetryPolicy
from fake_facebook import PAGE, TOKEN, VERSION, Page, comment, once, post

POST = f"{PAGE}_5001"


@pytest.fixture
def waits():
    """The waits that the client asked for, none of which is waited."""
    return []


@pytest.fixture
def page():
    return Page([post(1), post(2)], [comment(n, f"haa {n}", of=f"24{n:09}") for n in range(10)], page_size=4)


@pytest.fixture
def client(page, waits, caplog):
    caplog.set_level(logging.DEBUG)
    with (
        fake_facebook.serve(page) as address,
        GraphClient(VERSION, TOKEN, RetryPolicy(sleep=waits.append, jitter=lambda: 0.5), address) as client,
    ):
        yield client
    # Whatever happened, the token was in a header alone.
    assert not any(TOKEN in request for request in page.requests)
    assert TOKEN not in caplog.text
    assert "Zzyzx" not in caplog.text


def read_ids(client, post_id=POST):
    return [row.id for page in client.comments(post_id) for row in page.comments]


def test_comments_and_replies_come_page_by_page(client, page):
    page.comments.append(comment(99, "jawaab", of="25", parent={"id": "5001_0"}))
    assert read_ids(client) == [*(f"5001_{n}" for n in range(10)), "5001_99"]
    assert len(page.requests) == 3
    assert all("filter=stream" in request for request in page.requests)


def test_names_are_not_asked_for(client, page):
    read_ids(client)
    assert "from%7Bid%7D" in page.requests[0]
    assert "permalink" not in page.requests[0]


def test_empty_pages_with_a_next_one_are_passed(client, page):
    page.withheld = {f"5001_{n}" for n in range(4, 10)} - {"5001_9"}
    assert read_ids(client) == ["5001_0", "5001_1", "5001_2", "5001_3", "5001_9"]


def test_a_last_page_without_paging_is_the_end(client, page):
    page.comments.clear()
    assert read_ids(client) == []


def test_comments_without_an_author_or_a_text_are_rows(client, page):
    page.comments[:] = [comment(1, "haa"), {**comment(2, ""), "attachment": {"type": "sticker"}}]
    del page.comments[1]["message"]
    (read,) = client.comments(POST)
    assert [(row.author, row.message) for row in read.comments] == [(None, "haa"), (None, "")]
    assert read.unreadable == []


def test_a_post_says_when_it_was_published_and_how_many_comments_it_has(client, page):
    page.unseen = 2
    found = client.post(POST)
    assert (found.created_on.isoformat(), found.comment_count) == ("2026-03-01T06:00:00+00:00", 12)
    assert client.post(f"{PAGE}_9999") is None
    assert client.comment("5001_3").message == "haa 3"
    assert client.comment("5001_77") is None
    assert client.page_id() == PAGE
    assert [row.id for row in client.newest_posts(PAGE, 1)] == [POST]


@pytest.mark.parametrize(
    "row",
    [
        {"id": "5001_3", "created_time": "yesterday"},
        {"id": "5001_3", "created_time": "2026-03-02T07:00:00"},
        {"id": "5001_3", "created_time": 7},
        {"id": "5001_3"},
        {"id": "5001_3", "message": ["haa"], "created_time": "2026-03-02T07:00:00+0000"},
        {"id": "5001_3", "from": {"name": "Zzyzx"}, "created_time": "2026-03-02T07:00:00+0000"},
    ],
)
def test_a_row_that_cannot_be_read_is_told_beside_the_others(client, page, row):
    good = {"id": "5001_4", "created_time": "2026-03-02T07:00:00+0000", "message": "haa"}
    page.trouble.append(once("comments", lambda request: request.reply({"data": [row, good]})))
    (read,) = client.comments(POST)
    assert [one.id for one in read.comments] == ["5001_4"]
    (lost,) = read.unreadable
    assert lost.id == "5001_3"
    assert "Zzyzx" not in lost.reason


def test_half_of_a_character_is_replaced(client, page):
    body = b'{"data": [{"id": "5001_4", "created_time": "2026-03-02T07:00:00+0000", "message": "haa \\ud83d"}]}'
    page.trouble.append(once("comments", lambda request: request.reply(body)))
    (read,) = client.comments(POST)
    assert read.comments[0].message == "haa \ufffd"


@pytest.mark.parametrize(
    ("code", "subcode", "told"),
    [
        (
            190,
            463,
            "token was refused (code 190, subcode 463): it has expired; expected a page token. Make a new page token",
        ),
        (190, 460, "its user changed the password"),
        (190, 467, "it is not valid any more"),
        (190, None, "code 190): it is not valid"),
        (10, None, "may not read this (code 10); expected a page token of somebody with the task MODERATE"),
        (200, None, "may not read this (code 200)"),
        (299, None, "may not read this (code 299)"),
        (100, 33, "does not exist, or the token may not see it (code 100, subcode 33)"),
        (100, None, "refused (code 100: Invented refusal …)"),
        (803, None, "refused (code 803"),
    ],
)
def test_a_refusal_that_stays_is_told_at_once(client, page, waits, code, subcode, told):
    refusal = once("comments", lambda request: request.refuse(code, subcode, message=f"Invented refusal {TOKEN}"))
    page.trouble.append(refusal)
    with pytest.raises(ServiceError) as refused:
        read_ids(client)
    assert str(refused.value).startswith(f"Facebook: comments of post {POST}: ")
    assert told in str(refused.value)
    assert TOKEN not in str(refused.value)
    assert waits == []
    assert len(page.requests) == 1


@pytest.mark.parametrize("code", [4, 17, 32, 613, 80001])
def test_too_many_calls_wait_as_long_as_the_header_says(client, page, waits, code):
    usage = {PAGE: [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 7}]}
    headers = {"X-Business-Use-Case-Usage": json.dumps(usage)}
    page.trouble.append(once("comments", lambda request: request.refuse(code, status=403, headers=headers), skip=1))
    assert len(read_ids(client)) == 10
    assert waits == [pytest.approx(7 * 60, abs=1)]


def test_too_many_calls_without_a_header_wait_for_minutes(client, page, waits):
    page.trouble.append(once("comments", lambda request: request.refuse(4, headers={"X-Business-Use-Case-Usage": "?"})))
    read_ids(client)
    assert waits == [pytest.approx(300, abs=1)]


@pytest.mark.parametrize("more", [{"code": 1}, {"code": 2}, {"code": 17_999, "is_transient": True}])
def test_what_is_too_much_for_now_is_asked_for_in_halves(client, page, waits, more):
    for _ in range(2):
        page.trouble.append(once("comments", lambda request: request.refuse(status=500, **more)))
    assert len(read_ids(client)) == 10
    limits = [request.rpartition("limit=")[2].partition("&")[0] for request in page.requests]
    assert limits == ["100", "50", "25", "25", "25"]
    assert len(waits) == 2


@pytest.mark.parametrize(
    "trouble",
    [
        lambda request: request.break_off(),
        lambda request: request.reply(b"busy", 502),
        lambda request: request.reply(b'{"data": [', 200),
        lambda request: request.reply(b"", 429, {"Retry-After": "3"}),
    ],
)
def test_a_failure_that_passes_is_tried_again(client, page, waits, trouble):
    page.trouble.append(once("comments", trouble, skip=1))
    assert len(read_ids(client)) == 10
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda request: request.reply(b"no", 404), "answered status 404 without Facebook's explanation"),
        (lambda request: request.reply([]), "the response is not the Graph API's"),
        (lambda request: request.reply({"data": [], "paging": {"next": "https://x"}}), "a next page without a cursor"),
    ],
)
def test_what_is_not_the_graph_api_is_told(client, page, answer, told):
    page.trouble.append(once("comments", answer))
    with pytest.raises(ServiceError, match=told):
        read_ids(client)


def test_a_token_that_may_not_moderate_is_told(client, page):
    page.lacks_ids = True
    with pytest.raises(ServiceError, match="without ids.*Page Public Content Access is not enough"):
        read_ids(client)


def test_a_listing_that_does_not_end_is_told(client, page):
    again = {"data": [], "paging": {"cursors": {"after": "QQ"}, "next": "https://x"}}
    page.trouble += [once("comments", lambda request: request.reply(again)) for _ in range(3)]
    with pytest.raises(ServiceError, match="does not end: a cursor came twice"):
        read_ids(client)


def test_another_version_is_warned_of_once(client, page, caplog):
    page.version = "v27.0"
    read_ids(client)
    assert caplog.text.count("version v27.0 answered; expected v26.0") == 1


@pytest.mark.parametrize(
    "minutes", ["NaN", "-5", "[" * 5000, "1" + "0" * 400, '"soon"'], ids=["NaN", "past", "deep", "huge", "words"]
)
def test_a_wait_that_is_none_is_the_usual_one(minutes):
    body = b'{"error": {"code": 4}}'
    headers = {"X-Business-Use-Case-Usage": '{"a": [{"estimated_time_to_regain_access": ' + minutes + "}]}"}
    assert find_graph_error(403, body, headers).wait_seconds == 300
