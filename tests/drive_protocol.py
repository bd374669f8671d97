"""How Google Drive's API v3 speaks: its errors, answers, uploads in pieces, and language of queries."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from serving import Answer

FOLDER = "application/vnd.google-apps.folder"
SHEET = "application/vnd.google-apps.spreadsheet"
SHORTCUT = "application/vnd.google-apps.shortcut"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PIECE = 256 * 1024


class ApiError(Exception):
    """An answer as Google gives it."""

    def __init__(self, status: int, reason: str, **headers: str) -> None:
        super().__init__(reason)
        self.status = status
        self.headers = headers
        problem = {"domain": "global", "reason": reason, "message": f"A sentence about {reason}."}
        self.body = {"error": {"code": status, "message": problem["message"], "errors": [problem]}}


def as_json(document: Any) -> Answer:
    """An answer that is a document."""
    return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()


@dataclass
class Upload:
    """An upload that has begun."""

    file_id: str | None
    document: dict[str, Any]
    kind: str
    content: bytearray = field(default_factory=bytearray)
    answer: dict[str, Any] | None = None

    def take(self, where: str, body: bytes) -> bool:
        """Take the piece that a Content-Range tells of, or no piece where it only asks; is everything there then?"""
        total = int(where.rsplit("/", 1)[1])
        if "*" not in where:
            start = int(where.removeprefix("bytes ").split("-")[0])
            if start != len(self.content):
                raise ApiError(400, "badRequest")
            if start + len(body) < total and len(body) % _PIECE:
                raise ApiError(400, "badRequest")
            self.content += body
        return len(self.content) >= total

    def take_part(self, where: str, body: bytes) -> None:
        """Take the beginning of a piece, whose rest is lost."""
        found = re.fullmatch(r"bytes (\d+)-\d+/\d+", where)
        assert found
        assert int(found[1]) == len(self.content)
        self.content += body

    @property
    def arrived(self) -> dict[str, str]:
        """What has arrived, as a header."""
        return {"Range": f"bytes=0-{len(self.content) - 1}"} if self.content else {}


_TERM = re.compile(
    r"(?:(?P<field>name|mimeType|trashed|sharedWithMe) (?P<sign>=|!=) (?:'(?P<text>(?:\\.|[^'\\])*)'|(?P<truth>true|false))"
    r"|'(?P<parent>[^']+)' in parents)(?: and |$)"
)


def parse_query(query: str) -> Callable[[dict[str, Any]], bool]:
    """The part of the query language that is used: terms joined with `and`; anything else is refused."""
    terms, place = [], 0
    while place < len(query):
        term = _TERM.match(query, place)
        if term is None:
            raise ApiError(400, "invalid")
        terms.append(term)
        place = term.end()

    def holds(file: dict[str, Any], term: re.Match[str]) -> bool:
        if term["parent"]:
            return term["parent"] in file["parents"]
        value = re.sub(r"\\(.)", r"\1", term["text"]) if term["text"] is not None else term["truth"] == "true"
        return (file.get(term["field"]) == value) == (term["sign"] == "=")

    return lambda file: all(holds(file, term) for term in terms)
