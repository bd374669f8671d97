"""Listings of forms and posts that never end, or whose pages are too large: of KoboToolbox, Google Forms and Facebook."""

import contextlib
import itertools
import json

import pytest

import fake_facebook
import fake_kobo
from engagement.foundation.errors import ServiceError
from engagement.services import http, listings
from engagement.services.credentials import GoogleCredentials
from engagement.services.facebook.client import GraphClient
from engagement.services.google_forms.client import GoogleFormsClient
from engagement.services.kobo.client import KoboClient
from engagement.services.listings import ListingLimit, PageSize
from engagement.services.retries import RetryPolicy
from fake_facebook import PAGE, VERSION, Page, comment, post
from fake_google_forms import FakeGoogleForms, ServedForm, question, response
from fake_kobo import ASSET, Kobo, submission

POLICY = RetryPolicy(sleep=lambda _: None, budget_seconds=5)
FORM = "1InventedForm"
POST = f"{PAGE}_5001"
ANSWER = "5a1b0001"
LONG = "x" * 20_000


@contextlib.contextmanager
def kobo_client(kobo):
    with fake_kobo.serve(kobo) as address, KoboClient(address, fake_kobo.TOKEN, POLICY) as client:
        yield client


@contextlib.contextmanager
def google_client(form):
    with FakeGoogleForms(forms={FORM: form}).running() as server:
        key = GoogleCredentials("invented", server.key())
        with GoogleFormsClient(key, POLICY, server.address) as client:
            yield client, server


@contextlib.contextmanager
def facebook_client(page):
    with fake_facebook.serve(page) as address, GraphClient(VERSION, fake_facebook.TOKEN, POLICY, address) as client:
        yield client


@pytest.fixture
def small_answers(monkeypatch):
    """Let no response be larger than 10,000 bytes."""
    monkeypatch.setattr(http, "LARGEST_ANSWER_BYTES", 10_000)


def test_a_form_of_kobo_gives_no_more_than_it_counts_and_some():
    kobo = Kobo({ASSET: []})
    numbers = itertools.count(1)

    def endless(request):
        kobo.trouble.append(endless)
        rows = [{"_id": next(numbers), "_uuid": "u"} for _ in range(1000)]
        return request.reply(200, json.dumps({"count": 40, "results": rows}).encode())

    kobo.trouble.append(endless)
    told = rf"form {ASSET}: the listing does not end: 11,000 rows so far, while the service counts 40; expected at most 10,080"
    with kobo_client(kobo) as client, pytest.raises(ServiceError, match=told) as refused:
        list(client.listing(ASSET))
    assert refused.value.exit_status == 12
    assert len(kobo.requests) == 11


def test_a_google_form_has_no_more_pages_than_the_limit(monkeypatch):
    monkeypatch.setattr(listings, "_MOST_PAGES", 7)
    tokens = itertools.count(1)
    with google_client(ServedForm([])) as (client, server):
        page = [response(1)]
        monkeypatch.setattr(
            server, "_list", lambda form, query: {"responses": page, "nextPageToken": f"t{next(tokens)}"}
        )
        with pytest.raises(ServiceError, match="does not end: 8 pages so far; expected at most 7") as refused:
            list(client.responses(FORM))
    assert refused.value.exit_status == 12


@pytest.mark.parametrize(("told", "most"), [(None, 2_000_000), (20, 10_040)])
def test_a_post_has_no_more_comments_than_it_counts_and_some(told, most, monkeypatch):
    if told is None:
        most = 300
        monkeypatch.setattr(listings, "_MOST_ROWS", most)
    page = Page([post(1)])
    numbers = itertools.count(1)

    def endless(request):
        page.trouble.append(endless)
        rows = [comment(next(numbers), "haa", of="24") for _ in range(200)]
        paging = {"cursors": {"after": f"c{next(numbers)}"}, "next": "https://x"}
        return request.reply({"data": rows, "paging": paging})

    page.trouble.append(endless)
    with facebook_client(page) as client, pytest.raises(ServiceError, match=f"does not end.*at most {most:,}"):
        list(client.comments(POST, told))


def test_what_a_service_counts_can_not_lift_the_limit(monkeypatch):
    monkeypatch.setattr(listings, "_MOST_ROWS", 100)
    limit = ListingLimit("Somewhere: rows", 10**12)
    limit.count(100)
    with pytest.raises(
        ServiceError, match="101 rows so far, while the service counts 1,000,000,000,000; expected at most 100"
    ):
        limit.count(1)


def test_a_page_size_grows_again_unless_less_was_asked_for():
    size = PageSize(100)
    assert [size.halve() for _ in range(8)] == [True] * 6 + [False, False]
    for _ in range(8):
        size.grow()
    assert size.rows == 100
    size.halve_for_good()
    size.grow()
    assert size.rows == 50


def test_a_submission_of_kobo_that_fits_on_no_page_is_told_and_the_others_come(small_answers):
    rows = [submission(number, {"show/s05": LONG} if number in (7, 20) else {}) for number in range(1, 31)]
    with kobo_client(Kobo({ASSET: rows})) as client:
        pages = list(client.submissions(ASSET, [[row["_id"] for row in rows]], ["show/s05"]))
    assert sorted(row.id - 481000 for page in pages for row in page.rows) == [
        n for n in range(1, 31) if n not in (7, 20)
    ]
    lost = [one for page in pages for one in page.unreadable]
    assert [(one.id, one.reason) for one in lost] == [(481000 + n, "too large: more than 24 MiB") for n in (7, 20)]


def test_a_long_run_of_kobo_goes_on_behind_a_submission_that_is_too_large(small_answers):
    rows = [submission(number, {"show/s05": LONG} if number == 130 else {}) for number in range(1, 201)]
    with kobo_client(Kobo({ASSET: rows})) as client:
        pages = list(client.submissions(ASSET, [[row["_id"] for row in rows]], ["show/s05"]))
    assert [row.id for page in pages for row in page.rows] == [row["_id"] for row in rows if row["_id"] != 481130]
    assert [one.id for page in pages for one in page.unreadable] == [481130]


def test_a_response_that_fits_on_no_page_is_told_and_the_others_come(small_answers):
    form = ServedForm([question(ANSWER, "Why?")])
    form.add(*(response(number, **{ANSWER: LONG if number in (3, 4) else "haa"}) for number in range(40)))
    with google_client(form) as (client, _):
        pages = list(client.responses(FORM, with_emails=True))
    lost = {one.response_id: one.reason for page in pages for one in page.unreadable}
    assert lost == {response(number)["responseId"]: "too large: more than 24 MiB" for number in (3, 4)}
    assert len({row.response_id for page in pages for row in page.rows}) == 38


def test_a_comment_that_fits_on_no_page_is_told_and_the_others_come(small_answers):
    comments = [comment(number, LONG if number in (3, 4) else "haa", of="24") for number in range(40)]
    with facebook_client(Page([post(1)], comments)) as client:
        pages = list(client.comments(POST))
    assert [one.id for page in pages for one in page.unreadable] == ["5001_3", "5001_4"]
    assert {one.reason for page in pages for one in page.unreadable} == {"too large: more than 24 MiB"}
    assert len([row for page in pages for row in page.comments]) == 38


def test_a_listing_that_is_too_large_even_row_by_row_is_told(monkeypatch):
    monkeypatch.setattr(http, "LARGEST_ANSWER_BYTES", 20)
    with (
        kobo_client(Kobo({ASSET: [submission(1)]})) as client,
        pytest.raises(ServiceError, match="the response is larger than"),
    ):
        list(client.listing(ASSET))
