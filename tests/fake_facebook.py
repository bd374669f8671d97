"""A Graph API on this machine: one page with posts and comments, as Facebook answers, and the trouble that it can make.

Only the fields that are asked for come. A page's `next` is a whole address with the token in it. What `withheld` names is left out of
pages, which are shorter then, and counts all the same. A comment's replies go with it.
"""

import base64
import json
import re
import threading
import urllib.parse
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from serving import serve_on_this_machine

TOKEN = "invented-page-token"
PAGE = "900000000000001"
VERSION = "v26.0"


def post(number: int, created: str = "2026-03-01T06:00:00+0000") -> dict:
    """An invented post."""
    return {"id": f"{PAGE}_{5000 + number}", "created_time": created, "message": f"Invented post {number}"}


def comment(number: int, message: str, of: str | None = None, post: int = 1, **more: object) -> dict:
    """An invented comment under a post; `of` is its author's id."""
    row = {
        "id": f"{5000 + post}_{number}",
        "created_time": f"2026-03-02T{7 + number // 3600 % 16:02}:{number // 60 % 60:02}:{number % 60:02}+0000",
        "message": message,
        "is_hidden": False,
        "post": f"{PAGE}_{5000 + post}",
        **more,
    }
    return row if of is None else {**row, "from": {"id": of, "name": f"Zzyzx Invented {of[-3:]}"}}


@dataclass
class Page:
    """What the server holds. `requests` are the paths that came, `after_page` what happens behind each page of comments."""

    posts: list[dict]
    comments: list[dict] = field(default_factory=list)
    version: str = VERSION
    page_size: int = 100
    withheld: set[str] = field(default_factory=set)
    lacks_ids: bool = False
    unseen: int = 0
    requests: list[str] = field(default_factory=list)
    trouble: list[Callable[["Request"], bool]] = field(default_factory=list)
    after_page: list[Callable[[], object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()

    def find(self, comment_id: str) -> dict:
        """A comment by its id."""
        return next(row for row in self.comments if row["id"] == comment_id)

    def delete(self, comment_id: str) -> None:
        """Delete a comment and the replies to it."""
        self.comments[:] = [
            row for row in self.comments if comment_id not in (row["id"], row.get("parent", {}).get("id"))
        ]


class Request(BaseHTTPRequestHandler):
    """One request and how it can be answered."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    page: Page

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        with self.page.lock:
            self._answer()

    def _answer(self) -> None:
        self.url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(self.url.query))
        self.page.requests.append(self.path)
        for position, trouble in enumerate(self.page.trouble):
            if trouble(self):
                del self.page.trouble[position]
                return
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.refuse(190, subcode=463, status=401, message=f"Session of {TOKEN} has expired")
            return
        node, _, edge = self.url.path.partition("/v")[2].partition("/")[2].partition("/")
        rows = {row["id"]: row for row in (*self.page.posts, *self.page.comments)}
        if node == "me":
            self.reply({"id": PAGE})
        elif edge == "published_posts" and node == PAGE:
            newest = sorted(self.page.posts, key=lambda row: row["created_time"], reverse=True)
            self.reply({"data": [self._shape(row) for row in newest[: int(self.query["limit"])]]})
        elif node not in rows:
            self.refuse(100, subcode=33)
        elif edge == "comments":
            self._comments(node)
        else:
            self.reply(self._shape(rows[node]))

    def _comments(self, node: str) -> None:
        rows = [row for row in self.page.comments if row["post"] == node]
        if self.query.get("filter") != "stream":
            rows = [row for row in rows if "parent" not in row]
        rows.sort(key=lambda row: (row["created_time"], row["id"]))
        limit = min(int(self.query.get("limit", 25)), self.page.page_size)
        after = base64.b64decode(self.query.get("after", "")).decode()
        start = next((n for n, row in enumerate(rows) if f"{row['created_time']} {row['id']}" > after), len(rows))
        page = rows[start : start + limit]
        answer: dict = {"data": [self._shape(row) for row in page if row["id"] not in self.page.withheld]}
        if page:
            cursor = base64.b64encode(f"{page[-1]['created_time']} {page[-1]['id']}".encode()).decode()
            answer["paging"] = {"cursors": {"before": "b", "after": cursor}}
            if start + limit < len(rows):
                query = urllib.parse.urlencode({**self.query, "access_token": TOKEN, "after": cursor})
                answer["paging"]["next"] = f"http://{self.headers['Host']}{self.url.path}?{query}"
        self.reply(answer)
        if self.page.after_page:
            self.page.after_page.pop(0)()

    def _shape(self, row: dict) -> dict:
        asked = re.findall(r"(\w+)(?:\.[\w.()]+)?(?:\{\w+\})?(?:,|$)", self.query.get("fields", "created_time,message"))
        shown = {name: row[name] for name in ("id", *asked) if name in row}
        if self.page.lacks_ids and "post" in row:
            del shown["id"]
        if "comments" in asked:
            count = self.page.unseen + sum(one["post"] == row["id"] for one in self.page.comments)
            shown["comments"] = {"data": [], "summary": {"order": "chronological", "total_count": count}}
        return shown

    def reply(self, document: object, status: int = 200, headers: dict[str, str] | None = None) -> bool:
        """Answer whole."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "facebook-api-version": self.page.version,
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        return True

    def refuse(
        self,
        code: int,
        subcode: int | None = None,
        status: int = 400,
        message: str = "Invented refusal",
        headers: dict[str, str] | None = None,
        **more: object,
    ) -> bool:
        """Answer with an error of the Graph API."""
        error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A", **more}
        return self.reply({"error": {**error, "error_subcode": subcode} if subcode else error}, status, headers)

    def break_off(self) -> bool:
        """Answer with half of what was announced, and hang up."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"data": [')
        self.wfile.flush()
        self.close_connection = True
        return True


def once(part: str, answer: Callable[[Request], bool], skip: int = 0) -> Callable[[Request], bool]:
    """Trouble for one request whose path ends in `part`, after letting `skip` of them pass."""
    left = skip

    def trouble(request: Request) -> bool:
        nonlocal left
        if not request.url.path.endswith(part):
            return False
        left -= 1
        return left < 0 and answer(request)

    return trouble


def serve(page: Page) -> AbstractContextManager[str]:
    """Serve a page; gives the server's address."""
    return serve_on_this_machine(type("Handler", (Request,), {"page": page}))
