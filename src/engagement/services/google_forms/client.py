"""Client of the Google Forms API, version 1: the questions of a form, and all its responses."""

import os
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Self

from engagement.foundation.errors import ConfigurationError, ServiceError
from engagement.services.credentials import Credentials, GoogleCredentials
from engagement.services.google_forms.access import FormsAccess
from engagement.services.google_forms.refusals import explain_refusal
from engagement.services.google_forms.rows import (
    Form,
    NotAnAnswerError,
    ResponsePage,
    UnreadableResponse,
    read_form,
    read_page,
)
from engagement.services.http import LARGEST_ANSWER_BYTES, HttpSession, OversizeError, RefusedError
from engagement.services.listings import TOO_LARGE, ListingLimit, PageSize
from engagement.services.retries import RetryPolicy, TemporaryError

_ADDRESS = "https://forms.googleapis.com"
# Google gives 5000 at most. A form of sixty questions then takes some 20 MB a page; this takes four.
_RESPONSES_A_PAGE = 1000
_MOST_EMPTY_PAGES = 100
_MOST_ATTEMPTS = 3
# Only what is read is asked for: no scores, no files, and no e-mail address unless it says who answered.
_FIELDS = "responses(responseId,createTime,lastSubmittedTime{answers}),nextPageToken"


class GoogleFormsClient:
    """The forms that a service account may read; a context manager.

    Methods raise ServiceError if Google refuses, or can't be reached within the retry policy.
    """

    def __init__(self, credentials: GoogleCredentials, policy: RetryPolicy, address: str = _ADDRESS):
        self._access = FormsAccess(credentials, policy)
        self._address = address
        self._policy = policy
        self._session: HttpSession | None = None
        self._session_token = ""

    @property
    def account(self) -> str:
        """The e-mail address that forms are shared with."""
        return self._access.account

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._access.close()
        self._close_session()

    def form(self, form_id: str) -> Form:
        """Return a form with its questions."""
        return self._ask(self._path(form_id), f"form {form_id}", read_form)

    def responses(
        self, form_id: str, with_emails: bool = False, page_size: int | None = None
    ) -> Iterator[ResponsePage]:
        """Give all responses, in pages and in no order. A response may come twice, if it changes meanwhile.

        One that is too large for a page of its own is told as unreadable.
        """
        token: str | None = None
        asked: set[str | None] = set()
        empty_pages = 0
        what = f"responses of form {form_id}"
        limit = ListingLimit(f"Google Forms: {what}")
        size = PageSize(page_size or _RESPONSES_A_PAGE)
        answers = ",answers,respondentEmail" if with_emails else ",answers"
        while True:
            asked.add(token)
            try:
                page = self._page(form_id, token, size.rows, answers)
            except OversizeError:
                if size.halve():
                    continue
                # Without its answers it tells its id, and what comes behind it.
                page = _without_answers(self._page(form_id, token, size.rows, ""))
            size.grow()
            limit.count(len(page.rows) + len(page.unreadable))
            empty_pages = 0 if page.rows or page.unreadable else empty_pages + 1
            yield page
            token = page.next_token
            if token is None:
                return
            if token in asked or empty_pages > _MOST_EMPTY_PAGES:
                found = "the next page was already read" if token in asked else f"{empty_pages} empty pages in a row"
                raise ServiceError(
                    f"Google Forms: {what}: the listing does not end: {found}; expected a last page. Run this again."
                )

    def _page(self, form_id: str, token: str | None, rows: int, answers: str) -> ResponsePage:
        query = {
            "pageSize": str(rows),
            "prettyPrint": "false",
            "fields": _FIELDS.format(answers=answers),
            **({"pageToken": token} if token else {}),
        }
        path = f"{self._path(form_id)}/responses?{urllib.parse.urlencode(query)}"
        return self._ask(path, f"responses of form {form_id}", read_page, has_token=token is not None)

    def _path(self, form_id: str) -> str:
        return f"{self._address}/v1/forms/{urllib.parse.quote(form_id, safe='')}"

    def _ask[Body](self, url: str, what: str, read: Callable[[bytes], Body], has_token: bool = False) -> Body:
        def decode(body: bytes) -> Body:
            try:
                return read(body)
            except NotAnAnswerError as error:
                raise ServiceError(
                    f"Google Forms: {what}: not an answer of the Forms API, version 1: {error}. Check what is in front of the service."
                ) from None
            except ValueError:
                raise TemporaryError("the response is not JSON", most_attempts=_MOST_ATTEMPTS) from None

        try:
            return self._open().get(url, what, decode).body
        except RefusedError as refused:
            if refused.status != 401:
                raise explain_refusal(refused, f"Google Forms: {what}", self.account, has_token) from None
        try:
            # The token ended meanwhile: clocks differ, and a long run outlives one.
            return self._open(is_refused=True).get(url, what, decode).body
        except RefusedError as refused:
            raise explain_refusal(refused, f"Google Forms: {what}", self.account, has_token) from None

    def _open(self, is_refused: bool = False) -> HttpSession:
        token = self._access.token(is_refused)
        if self._session is None or token != self._session_token:
            self._close_session()
            headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
            self._session = HttpSession("Google Forms", headers, self._policy)
            self._session_token = token
        return self._session

    def _close_session(self) -> None:
        if self._session is not None:
            self._session.__exit__(None, None, None)
            self._session = None


def _without_answers(page: ResponsePage) -> ResponsePage:
    reason = f"{TOO_LARGE}more than {LARGEST_ANSWER_BYTES >> 20} MiB"
    lost = [UnreadableResponse(number, row.response_id, "answers", reason) for number, row in enumerate(page.rows, 1)]
    return ResponsePage([], [*lost, *page.unreadable], page.next_token)


def open_google_forms(credentials: Credentials, where: str, policy: RetryPolicy) -> GoogleFormsClient:
    """Open the forms that the credentials, which lie at `where`, may read.

    For tests, FORMS_EMULATOR_HOST names another server that speaks the Forms API.
    """
    if not isinstance(credentials, GoogleCredentials):
        raise ConfigurationError(
            f"{where}: embedded credentials; expected a service account's key: Google Forms has no embedded twin. Change CredentialsFileURL."
        )
    host = os.environ.get("FORMS_EMULATOR_HOST")
    return GoogleFormsClient(
        credentials, policy, f"http://{host.removeprefix('http://').rstrip('/')}" if host else _ADDRESS
    )
