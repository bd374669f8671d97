"""A server that speaks the Google Forms API and gives tokens for it: invented forms, and weather to order.

A test changes `forms` while they are served, between two pages too (`at_request`). The listing has no order, as Google's.
"""

import base64
import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from serving import Answer, make_handler, serve_on_this_machine

ACCOUNT = "reader@invented.iam.example.org"
SCOPES = ("forms.body.readonly", "forms.responses.readonly")
START = datetime(2026, 3, 2, 7, 0, 0, 123456, tzinfo=UTC)
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_SCOPE = "https://www.googleapis.com/auth/"


def at(minutes: float) -> str:
    """A moment, in minutes after the start, as Google writes it."""
    return (START + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def question(question_id: str, title: str | None, **kind: Any) -> dict[str, Any]:
    """An item with a question; by default a text is written."""
    asked = {"questionId": question_id, **(kind or {"textQuestion": {}})}
    return {"itemId": f"item-{question_id}", **({"title": title} if title else {}), "questionItem": {"question": asked}}


def grid(title: str, **rows: str) -> dict[str, Any]:
    """An item with a question for each row: titles by question id."""
    questions = [{"questionId": key, "rowQuestion": {"title": row}} for key, row in rows.items()]
    return {"itemId": f"grid-{title}", "title": title, "questionGroupItem": {"questions": questions, "grid": {}}}


def response(
    number: int, edited: float | None = None, email: str | None = None, **answers: str | list[str]
) -> dict[str, Any]:
    """An invented response, with its answers by question id; without any it has no key `answers`."""
    row: dict[str, Any] = {
        "responseId": "ACYD"
        + base64.urlsafe_b64encode(hashlib.md5(str(number).encode()).digest()).decode().rstrip("="),
        "createTime": at(number),
        "lastSubmittedTime": at(number if edited is None else edited),
    }
    if email is not None:
        row["respondentEmail"] = email
    if answers:
        row["answers"] = {
            key: {
                "questionId": key,
                "textAnswers": {
                    "answers": [{"value": text} for text in ([texts] if isinstance(texts, str) else texts)]
                },
            }
            for key, texts in answers.items()
        }
    return row


class ApiError(Exception):
    """An answer as Google gives it."""

    def __init__(self, code: int, status: str, message: str, reason: str | None = None) -> None:
        super().__init__(status)
        self.code = code
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
        self.body = {"error": {"code": code, "message": message, "status": status, "details": details}}


FORBIDDEN = {
    "scope": ApiError(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
    "disabled": ApiError(
        403,
        "PERMISSION_DENIED",
        "Google Forms API has not been used in project 1 before or it is disabled.",
        "SERVICE_DISABLED",
    ),
    "not shared": ApiError(403, "PERMISSION_DENIED", "The caller does not have permission"),
}  # fmt: skip


@dataclass
class ServedForm:
    """A form: its items, and its responses by id."""

    items: list[dict[str, Any]]
    responses: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, *rows: dict[str, Any]) -> None:
        """Take in responses, those with a known id instead of the earlier ones."""
        self.responses |= {row["responseId"]: row for row in rows}

    def remove(self, *numbers: int) -> None:
        """Delete responses, as a person does: nothing is left of them."""
        for number in numbers:
            del self.responses[response(number)["responseId"]]

    def rename(self, question_id: str, title: str) -> None:
        """Give a question another title."""
        for item in self.items:
            if item.get("questionItem", {}).get("question", {}).get("questionId") == question_id:
                item["title"] = title


@dataclass
class FakeGoogleForms:
    """The server; `requests` are the paths that were asked for, tokens left out."""

    forms: dict[str, ServedForm] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    # What happens right before a request for responses, by its number.
    actions: dict[int, Callable[[], object]] = field(default_factory=dict)
    listings: int = 0
    # The most that a page has, whatever is asked for; and how many of its rows come again on the next one.
    page_size: int = 5000
    repeated_rows: int = 0
    tokens: set[str] = field(default_factory=set)
    tokens_given: int = 0
    key_is_refused: bool = False

    def __post_init__(self) -> None:
        self.lock = threading.RLock()

    @contextlib.contextmanager
    def running(self) -> Iterator["FakeGoogleForms"]:
        """Serve, and set `address`."""
        with serve_on_this_machine(_make_handler(self)) as self.address:
            yield self

    def key(self) -> dict[str, str]:
        """The service account's key."""
        pem = _KEY.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {"type": "service_account", "project_id": "invented", "client_email": ACCOUNT, "client_id": "1",
                "private_key_id": "1", "private_key": pem.decode(), "token_uri": f"{self.address}/token"}  # fmt: skip

    def at_request(self, number: int, action: Callable[[], object]) -> None:
        """Do something right before the request for responses of this number (the next is 1); it may raise an answer."""
        self.actions[self.listings + number] = action

    def fail(self, number: int, error: Exception) -> None:
        """Answer the request for responses of this number (the next is 1) with an error."""

        def refuse() -> None:
            raise error

        self.at_request(number, refuse)

    def answer(self, method: str, address: str, headers: Any, body: bytes) -> tuple[int, dict[str, Any]]:
        """Carry out one request."""
        with self.lock:
            parts = urlsplit(address)
            if (method, parts.path) == ("POST", "/token"):
                return self._give_token(parse_qs(body.decode())["assertion"][0])
            self.requests.append(unquote(address))
            try:
                return 200, self._get(
                    parts.path, {key: values[-1] for key, values in parse_qs(parts.query).items()}, headers
                )
            except ApiError as error:
                return error.code, error.body

    def _give_token(self, assertion: str) -> tuple[int, dict[str, Any]]:
        if self.key_is_refused:
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        head, claims, signature = assertion.split(".")
        decoded = base64.urlsafe_b64decode(signature + "==")
        _KEY.public_key().verify(decoded, f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
        asked = json.loads(base64.urlsafe_b64decode(claims + "==="))["scope"].split()
        # Nothing but reading is asked for.
        assert sorted(asked) == [f"{_SCOPE}{scope}" for scope in SCOPES]
        self.tokens_given += 1
        self.tokens = {f"invented-token-{self.tokens_given}"}
        return 200, {"access_token": min(self.tokens), "token_type": "Bearer", "expires_in": 3600}

    def _get(self, path: str, query: dict[str, str], headers: Any) -> dict[str, Any]:
        if headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise ApiError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        found = re.fullmatch(r"/v1/forms/([^/]+)(/responses)?", path)
        form = self.forms.get(unquote(found[1])) if found else None
        if found is None or form is None:
            raise ApiError(404, "NOT_FOUND", "Requested entity was not found.")
        if found[2] is None:
            return {
                "formId": unquote(found[1]),
                "info": {"title": "Invented", "documentTitle": "Invented"},
                "items": form.items,
            }
        self.listings += 1
        self.actions.pop(self.listings, lambda: None)()
        if headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise ApiError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        return self._list(form, query)

    def _list(self, form: ServedForm, query: dict[str, str]) -> dict[str, Any]:
        rows = sorted(form.responses.values(), key=lambda row: hashlib.md5(row["responseId"].encode()).hexdigest())
        try:
            start = int(query.get("pageToken", "t0").removeprefix("t"))
        except ValueError:
            raise ApiError(400, "INVALID_ARGUMENT", "Request contains an invalid argument.") from None
        size = min(self.page_size, int(query.get("pageSize", 5000)))
        page = rows[max(0, start - self.repeated_rows) : start + size]
        answer: dict[str, Any] = {"responses": [_masked(row, query.get("fields", "")) for row in page]} if page else {}
        if start + size < len(rows):
            answer["nextPageToken"] = f"t{start + size}"
        return answer


def _masked(row: dict[str, Any], fields: str) -> dict[str, Any]:
    """What is asked for of a response; everything, if nothing is said."""
    return {key: value for key, value in row.items() if not fields or re.search(rf"\b{key}\b", fields)}


def _make_handler(forms: FakeGoogleForms) -> type[BaseHTTPRequestHandler]:
    def answer(*request: Any) -> Answer:
        status, document = forms.answer(*request)
        return status, {"Content-Type": "application/json; charset=UTF-8"}, json.dumps(document).encode()

    return make_handler(answer)
