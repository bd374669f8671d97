"""A KoboToolbox server for tests: invented submissions behind API version 2, and weather to order.

`Kobo` holds the forms, which a test may change while they are served. `trouble` is a list of functions, as in `fake_rapidpro`;
`between` is a list of functions, each of which is called once, after the next page of submissions was sent.
"""

import json
import threading
import urllib.parse
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler

from serving import serve_on_this_machine

TOKEN = "invented0kobo0token0aa11"
ASSET = "aInventedListenerGrp01"
START = datetime(2026, 3, 2, 7, 0, 0, tzinfo=UTC)
_NAIROBI = timezone(timedelta(hours=3))
_SERVERS_OWN = ("_id", "_uuid", "meta/rootUuid")

SURVEY = [
    {"type": "start", "name": "start", "$xpath": "start"},
    {"type": "end", "name": "end", "$xpath": "end"},
    {"type": "begin_group", "name": "about", "$xpath": "about", "label": ["About you"]},
    {"type": "text", "name": "phone", "$xpath": "about/phone", "label": ["Your phone number"]},
    {"type": "text", "name": "name", "$xpath": "about/name", "label": ["Your name"]},
    {"type": "integer", "name": "age", "$xpath": "about/age", "label": ["Your age"]},
    {
        "type": "select_one",
        "name": "gender",
        "$xpath": "about/gender",
        "select_from_list_name": "gender",
        "label": ["Gender"],
    },
    {"type": "end_group"},
    {"type": "begin_group", "name": "show", "$xpath": "show", "label": ["The show"]},
    {"type": "text", "name": "s05", "$xpath": "show/s05", "label": ["What do you think of the water?"]},
    {
        "type": "select_multiple",
        "name": "heard",
        "$xpath": "show/heard",
        "select_from_list_name": "channels",
        "label": ["How did you hear of us?"],
    },
    {"type": "begin_repeat", "name": "kids", "$xpath": "show/kids", "label": ["Children"]},
    {"type": "integer", "name": "kid_age", "$xpath": "show/kids/kid_age", "label": ["Age of the child"]},
    {"type": "end_repeat"},
    {"type": "end_group"},
    {"type": "audio", "name": "voice", "$xpath": "voice", "label": ["Say it"]},
]
CHOICES = [
    {"list_name": "gender", "name": "f", "label": ["Female", "Mwanamke"]},
    {"list_name": "gender", "name": "m", "label": ["Male", "Mwanamume"]},
    {"list_name": "channels", "name": "radio", "label": ["Radio", "Redio"]},
    {"list_name": "channels", "name": "friends", "label": ["Friends, family", None]},
]


def write_time(minutes: float) -> str:
    """A moment, in minutes after the start, as the server writes it."""
    return (START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S")


def write_device_time(minutes: float) -> str:
    """A moment as a device in Nairobi writes it."""
    return (START + timedelta(minutes=minutes)).astimezone(_NAIROBI).isoformat(timespec="milliseconds")


def _make_uuid(of: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(of)))


def submission(number: int, changes: dict[str, object] | None = None) -> dict:
    """An invented submission, by default of somebody with a Kenyan number; None as a change removes a key."""
    unique = _make_uuid(number)
    row = {
        "_id": 481000 + number,
        "formhub/uuid": "6f1c0d2e8b7a4c55a1e2d3c4b5a69788",
        "start": write_device_time(number * 10 - 6),
        "end": write_device_time(number * 10 - 1),
        "username": "enumerator_zz",
        "phonenumber": "+254799999999",
        "about/phone": f"07120{number:05}",
        "about/name": f"Zzyzx Invented {number}",
        "about/age": str(20 + number % 50),
        "about/gender": "f" if number % 2 else "m",
        "show/s05": f"maji safi {number}",
        "show/heard": "radio friends",
        "voice": f"{number}.m4a",
        "__version__": "vOne",
        "meta/instanceID": f"uuid:{unique}",
        "meta/rootUuid": f"uuid:{unique}",
        "_uuid": unique,
        "_attachments": [{"download_url": "https://kobo.invalid/voice.m4a", "question_xpath": "voice"}],
        "_status": "submitted_via_web",
        "_geolocation": [None, None],
        "_submission_time": write_time(number * 10),
        "_validation_status": {},
        "_submitted_by": "enumerator_zz",
    }
    return {key: value for key, value in (row | (changes or {})).items() if value is not None}


@dataclass
class Kobo:
    """What the server holds. `requests` are the paths that came, in order. `era` 2025 has larger pages."""

    forms: dict[str, list[dict]] = field(default_factory=lambda: {ASSET: []})
    surveys: dict[str, dict] = field(default_factory=dict)
    era: int = 2026
    most_rows: int | None = None
    requests: list[str] = field(default_factory=list)
    trouble: list[Callable[["KoboRequest"], bool]] = field(default_factory=list)
    between: list[Callable[[], object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.Lock()

    @property
    def rows(self) -> list[dict]:
        """The submissions of the first form."""
        return self.forms[ASSET]

    def edit(self, row: dict, answers: dict[str, object]) -> None:
        """Edit a submission as the server does: it keeps its `_id` and its time, and its `_uuid` changes."""
        unique = _make_uuid([row["_uuid"], answers])
        row |= answers
        row |= {"meta/deprecatedID": row.get("meta/instanceID"), "meta/instanceID": f"uuid:{unique}", "_uuid": unique}

    def asked(self, part: str = "/data/") -> int:
        """Count the requests whose path has this part, and forget them all."""
        count = sum(part in path for path in self.requests)
        self.requests.clear()
        return count

    def asset(self, uid: str) -> dict:
        """A form's description."""
        return {
            "uid": uid,
            "name": "Invented listening group",
            "asset_type": "survey",
            "has_deployment": True,
            "content": {"survey": SURVEY, "choices": CHOICES, "translations": ["English (en)", "Kiswahili (sw)"]},
            **self.surveys.get(uid, {}),
        }


class RefusedKoboError(Exception):
    """An answer that is no page."""

    def __init__(self, status: int, answer: object):
        super().__init__(status)
        self.status = status
        self.answer = answer


class KoboRequest(BaseHTTPRequestHandler):
    """One request and how it can be answered."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    kobo: Kobo

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(self.url.query))
        self.kobo.requests.append(urllib.parse.unquote_plus(self.path))
        for position, trouble in enumerate(self.kobo.trouble):
            if trouble(self):
                del self.kobo.trouble[position]
                return
        try:
            with self.kobo.lock:
                body = json.dumps(self._answer())
        except RefusedKoboError as error:
            self.reply(error.status, json.dumps(error.answer).encode())
            return
        self.reply(200, body.encode())
        if "/data" in self.url.path and self.kobo.between:
            self.kobo.between.pop(0)()

    def _answer(self) -> dict:
        given = self.headers.get("Authorization")
        if given is not None and given != f"Token {TOKEN}":
            raise RefusedKoboError(401, {"detail": "Invalid token."})
        parts = [part for part in self.url.path.removeprefix("/api/v2/assets").split("/") if part]
        if given is None or not parts or parts[0] not in self.kobo.forms:
            raise RefusedKoboError(404, {"detail": "Not found."})
        if len(parts) == 1:
            return self.kobo.asset(parts[0])
        if parts[1:] not in (["data"], ["data.json"]):
            raise RefusedKoboError(404, {"detail": "Not found."})
        return self._page(self.kobo.forms[parts[0]])

    def _page(self, rows: list[dict]) -> dict:
        most = self.kobo.most_rows or (1000 if self.kobo.era >= 2026 else 30_000)
        limit = min(self._number("limit", 100 if self.kobo.era >= 2026 else 30_000, 1), most)
        start = self._number("start", 0, 0)
        found = [row for row in rows if _matches(row, self._document("query", {}))]
        for key, direction in reversed(self._document("sort", {"_id": 1}).items()):
            found.sort(key=lambda row: row[key], reverse=direction < 0)
        page = found[start : start + limit]
        fields = self._document("fields", [])
        if fields:
            kept = {*fields, *_SERVERS_OWN}
            page = [{key: value for key, value in row.items() if key in kept} for row in page]
            page = [{"_validation_status": {}, **row} for row in page]
        following = None
        if start + limit < len(found):
            query = urllib.parse.urlencode({**self.query, "limit": limit, "start": start + limit})
            following = f"http://{self.headers['Host']}{self.url.path}?{query}"
        return {"count": len(found), "next": following, "previous": None, "results": page}

    def _number(self, name: str, otherwise: int, least: int) -> int:
        text = self.query.get(name, str(otherwise))
        if not text.isdecimal() or int(text) < least:
            raise RefusedKoboError(400, {name: ["A positive integer is required"]})
        return int(text)

    def _document(self, name: str, otherwise: object) -> object:
        try:
            return json.loads(self.query[name]) if name in self.query else otherwise
        except ValueError:
            raise RefusedKoboError(400, {name: ["Value must be valid JSON."]}) from None

    def reply(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, kind: str = "application/json"
    ) -> bool:
        """Answer whole."""
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        return True

    def break_off(self) -> bool:
        """Answer with half of what was announced, and hang up."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"count": 3, "resul')
        self.wfile.flush()
        self.close_connection = True
        return True


_OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "$gt": lambda value, than: value > than,
    "$gte": lambda value, than: value >= than,
    "$lt": lambda value, than: value < than,
    "$lte": lambda value, than: value <= than,
    "$in": lambda value, among: value in among,
}


def _matches(row: dict, query: dict) -> bool:
    """Whether a submission matches; what our client does not use is refused, as the server refuses what it does not know."""
    for key, wanted in query.items():
        conditions = dict(wanted) if isinstance(wanted, dict) else {"$in": [wanted]}
        if (key in row) != conditions.pop("$exists", True):
            return False
        if not conditions.keys() <= _OPERATORS.keys():
            raise RefusedKoboError(400, ["Unsupported query"])
        if not all(_OPERATORS[name](row[key], operand) for name, operand in conditions.items()):
            return False
    return True


def serve(kobo: Kobo) -> AbstractContextManager[str]:
    """Serve the forms; gives the server's address."""
    return serve_on_this_machine(type("Handler", (KoboRequest,), {"kobo": kobo}))
