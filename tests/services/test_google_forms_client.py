"""The client of Google Forms against a server on this machine: tokens, pages, refusals, rows that can't be read."""

import json

import pytest

from engagement.foundation.errors import ConfigurationError, ServiceError
from engagement.services.credentials import EmbeddedCredentials, GoogleCredentials
from engagement.services.google_forms.client import GoogleFormsClient, open_google_forms
from engagement.services.google_forms.instants import read_instant
from engagement.services.google_forms.refusals import explain_refusal
from engagement.services.google_forms.rows import NotAnAnswerError, read_form, read_page
from engagement.services.http import RefusedError
from engagement.services.retries import RetryPolicy
from fake_google_forms import ACCOUNT, FORBIDDEN, ApiError, FakeGoogleForms, ServedForm, grid, question, response
from serving import DroppedError

POLICY = RetryPolicy(sleep=lambda _: None, budget_seconds=5)
FORM = "1InventedForm"
PAGE_BREAK = {"itemId": "break", "pageBreakItem": {}}
NO_TITLE = {"itemId": "text", "description": "no title here", "textItem": {}}


@pytest.fixture
def server():
    with FakeGoogleForms(forms={FORM: ServedForm([question("5a1b0001", "Why?")])}).running() as server:
        server.forms[FORM].add(*(response(number, **{"5a1b0001": f"text {number}"}) for number in range(25)))
        yield server


@pytest.fixture
def client(server):
    with GoogleFormsClient(GoogleCredentials("invented", server.key()), POLICY, server.address) as client:
        yield client


def ids(pages):
    return [row.response_id for page in pages for row in page.rows]


def test_all_pages_are_read_with_one_token(server, client):
    found = ids(client.responses(FORM, page_size=10))
    assert sorted(found) == sorted(server.forms[FORM].responses)
    assert (len(server.requests), server.tokens_given) == (3, 1)


def test_a_page_may_be_shorter_than_asked_for(server, client):
    server.page_size = 4
    assert len(set(ids(client.responses(FORM)))) == 25


def test_questions_are_those_of_items_and_of_grids(server, client):
    server.forms[FORM].items[1:] = [
        PAGE_BREAK,
        NO_TITLE,
        question("5a1b0002", " Which \n county?"),
        question("5a1b0003", None, fileUploadQuestion={"folderId": "1"}),
        grid("How often?", **{"5a1b0005": "Radio", "5a1b0006": "SMS"}),
        {"itemId": "picture", "title": "A map", "imageItem": {}},
    ]
    found = [(one.question_id, one.title, one.takes_files) for one in client.form(FORM).questions]
    assert found == [
        ("5a1b0001", "Why?", False),
        ("5a1b0002", "Which county?", False),
        ("5a1b0003", "", True),
        ("5a1b0005", "How often? [Radio]", False),
        ("5a1b0006", "How often? [SMS]", False),
    ]


def test_answers_are_values_by_question_and_files_have_none(server, client):
    row = response(1, **{"5a1b0001": "maji safi", "5a1b0004": ["Radio", "my cousin, in town"]})
    row["answers"]["5a1b0008"] = {
        "questionId": "5a1b0008",
        "fileUploadAnswers": {"answers": [{"fileId": "1", "fileName": "IMG.jpg"}]},
    }
    server.forms[FORM].responses = {}
    server.forms[FORM].add(row, response(2))
    (page,) = client.responses(FORM)
    answers = {frozenset(row.answers.items()) for row in page.rows}
    assert answers == {
        frozenset({("5a1b0001", ("maji safi",)), ("5a1b0004", ("Radio", "my cousin, in town")), ("5a1b0008", ())}),
        frozenset(),
    }


@pytest.mark.parametrize("with_emails", [False, True])
def test_an_email_address_is_asked_for_only_where_it_says_who_answered(server, client, with_emails):
    server.forms[FORM].responses = {}
    server.forms[FORM].add(response(1, email="amina@example.org"))
    (page,) = client.responses(FORM, with_emails)
    assert page.rows[0].respondent_email == ("amina@example.org" if with_emails else None)
    assert ("respondentEmail" in server.requests[0]) is with_emails


@pytest.mark.parametrize("status", [429, 500, 503])
def test_weather_is_waited_for(server, client, status):
    server.fail(2, ApiError(status, "RESOURCE_EXHAUSTED", "Quota exceeded."))
    server.fail(4, DroppedError())
    assert len(set(ids(client.responses(FORM, page_size=10)))) == 25
    assert len(server.requests) == 5


def test_a_token_that_ends_in_the_middle_is_replaced(server, client):
    server.at_request(2, lambda: server.tokens.clear())
    assert len(set(ids(client.responses(FORM, page_size=10)))) == 25
    assert server.tokens_given == 2


def test_a_token_that_is_refused_again_is_told(server, client):
    server.fail(1, ApiError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."))
    server.fail(2, ApiError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."))
    with pytest.raises(ServiceError, match=rf"the token of {ACCOUNT} was refused \(status 401, UNAUTHENTICATED\)"):
        ids(client.responses(FORM))


def test_a_key_that_is_refused_is_told(server, client):
    server.key_is_refused = True
    with pytest.raises(ServiceError, match=rf"the key of {ACCOUNT} was refused") as refused:
        client.form(FORM)
    assert "CredentialsFileURL" in str(refused.value)


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        ("scope", "expected the scopes forms.body.readonly and forms.responses.readonly"),
        ("disabled", "Forms API is not switched on in the Google Cloud project"),
        ("not shared", f"{ACCOUNT} may not read this form .*expected a form that is shared with it"),
    ],
)
def test_the_meanings_of_403_are_told_apart(server, client, cause, told):
    server.fail(1, FORBIDDEN[cause])
    with pytest.raises(ServiceError, match=told):
        ids(client.responses(FORM))


@pytest.mark.parametrize("cause", ["scope", "disabled"])
def test_they_are_told_apart_by_the_message_alone_too(server, client, cause):
    message = FORBIDDEN[cause].body["error"]["message"]
    server.fail(1, ApiError(403, "PERMISSION_DENIED", message))
    with pytest.raises(ServiceError, match="scopes" if cause == "scope" else "not switched on"):
        ids(client.responses(FORM))


def test_a_form_that_is_not_there_is_told_with_the_two_addresses_of_forms(client):
    with pytest.raises(ServiceError, match=r"no such form \(status 404.*forms/d/<FormId>/edit.*viewform.*another one"):
        client.form("1FAIpQLSinvented")


def test_a_listing_that_goes_in_a_circle_ends(server, client, monkeypatch):
    monkeypatch.setattr(server, "_list", lambda form, query: {"nextPageToken": "t1"})
    with pytest.raises(ServiceError, match="does not end: the next page was already read"):
        ids(client.responses(FORM))


def test_a_row_that_cannot_be_read_is_told_apart_without_its_values(server, client):
    rows = [response(number, **{"5a1b0001": "siri yangu"}) for number in range(6)]
    del rows[1]["lastSubmittedTime"]
    rows[2]["createTime"] = "yesterday, 0712000001"
    rows[3]["answers"]["5a1b0001"] = "siri yangu"
    rows[4]["responseId"] = 17
    body = json.dumps({"responses": rows, "nextPageToken": "t9"}).encode()
    page = read_page(body)
    assert [row.response_id for row in page.rows] == [rows[0]["responseId"], rows[5]["responseId"]]
    assert [(lost.number, lost.response_id) for lost in page.unreadable] == [
        (2, rows[1]["responseId"]), (3, rows[2]["responseId"]), (4, rows[3]["responseId"]), (5, None),
    ]  # fmt: skip
    assert page.next_token == "t9"
    shown = repr(page.unreadable)
    assert "siri" not in shown
    assert "0712000001" not in shown
    assert "createTime" in shown


@pytest.mark.parametrize("body", [b"[]", b'{"responses": 1}'])
def test_what_is_no_page_is_refused(server, client, monkeypatch, body):
    monkeypatch.setattr(server, "_list", lambda form, query: json.loads(body))
    with pytest.raises(ServiceError, match="not an answer of the Forms API"):
        ids(client.responses(FORM))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        # As texts these would sort the other way round.
        ("2026-03-02T07:00:00Z", "2026-03-02T07:00:00.5Z"),
        ("2026-03-02T07:00:00.123456Z", "2026-03-02T07:00:00.123456001Z"),
        ("2026-03-02T09:59:59.999+03:00", "2026-03-02T07:00:00Z"),
        ("2026-03-02T07:00:00.1Z", "2026-03-02T07:00:00.100000001Z"),
    ],
)
def test_times_are_compared_as_instants(earlier, later):
    assert read_instant(earlier).text < read_instant(later).text
    assert read_instant(earlier).time <= read_instant(later).time


@pytest.mark.parametrize("text", ["2026-03-02T07:00:00.500Z", "2026-03-02T07:00:00.5Z", "2026-03-02T10:00:00.50+03:00"])
def test_one_instant_has_one_text(text):
    assert read_instant(text).text == "2026-03-02T07:00:00.500000000Z"


@pytest.mark.parametrize(
    "text", ["", "2026-03-02", "2026-03-02T07:00:00", "2026-13-02T07:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="time|month|calendar"):
        read_instant(text)


def test_the_variable_names_another_server(server, monkeypatch):
    monkeypatch.setenv("FORMS_EMULATOR_HOST", server.address.removeprefix("http://"))
    with open_google_forms(GoogleCredentials("invented", server.key()), "gs://keys/forms.json", POLICY) as client:
        assert client.form(FORM).form_id == FORM


def test_embedded_credentials_are_refused(tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"gs://keys/forms\.json: embedded credentials; expected a service account's key"
    ):
        open_google_forms(EmbeddedCredentials(tmp_path), "gs://keys/forms.json", POLICY)


def test_a_key_that_cannot_be_read_is_refused(server):
    broken = {**server.key(), "private_key": "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n"}
    with pytest.raises(ConfigurationError, match="key can't be read") as refused:
        GoogleFormsClient(GoogleCredentials("invented", broken), POLICY, server.address)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b'"maji \\ud83d"', None),  # Half a character, as old phones send.
        (b'"maji \xff"', "not JSON, or not UTF-8"),
        (b'"a", "z": ' + b"[" * 5000 + b"]" * 5000, "nested too deeply"),
    ],
)
def test_an_answer_that_is_no_text_leaves_the_others_of_its_page(value, reason):
    rows = [response(number, **{"5a1b0001": f"text {number}"}) for number in range(3)]
    body = json.dumps({"responses": rows, "nextPageToken": "more"}).encode().replace(b'"text 1"', value)
    page = read_page(body)
    assert page.next_token == "more"
    whole = [0, 1, 2] if reason is None else [0, 2]
    assert [row.response_id for row in page.rows] == [rows[number]["responseId"] for number in whole]
    assert [(row.response_id, row.reason) for row in page.unreadable] == (
        [] if reason is None else [(rows[1]["responseId"], reason)]
    )
    if reason is None:
        assert page.rows[1].answers["5a1b0001"] == ("maji \ufffd",)


def test_a_form_or_refusal_of_another_kind_is_explained():
    deep = b"[" * 5000 + b"]" * 5000
    with pytest.raises(NotAnAnswerError, match="nested too deeply"):
        read_form(b'{"formId": "a", "more": ' + deep + b"}")
    for body in (deep, b'{"error": {"details": [{"reason": ["a", {}]}]}}'):
        assert "may not read this form" in str(explain_refusal(RefusedError(403, body), "Google Forms", "a@b.example"))
