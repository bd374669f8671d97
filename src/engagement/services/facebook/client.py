"""Facebook's Graph API: the posts of a page, and their comments, page by page.

The token goes into a header only. Facebook repeats it in the address of the next page, so that address is never used: the next
page is asked for by its cursor. Cursors live briefly, and are never kept between runs.
"""

import logging
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Self

import msgspec

from engagement.foundation.errors import ServiceError
from engagement.services.facebook.errors import GraphError, explain, find_graph_error
from engagement.services.facebook.rows import (
    Comment,
    CommentPage,
    NoIdsError,
    NoPageError,
    Post,
    UnreadableComment,
    read_json,
    read_page,
)
from engagement.services.http import LARGEST_ANSWER_BYTES, DecodedResponse, HttpSession, OversizeError, RefusedError
from engagement.services.json_pieces import BrokenJSONError
from engagement.services.listings import TOO_LARGE, ListingLimit, PageSize
from engagement.services.retries import RetryPolicy, TemporaryError, call_with_retries

SERVER = "https://graph.facebook.com"
_LARGEST_LIMIT = 100
_MOST_ATTEMPTS = 3
_MOST_EMPTY_PAGES = 1000
_BARE_FIELDS = "id,created_time"
_COMMENT_FIELDS = "id,message,created_time,from{id},parent{id},is_hidden"

_logger = logging.getLogger(__name__)


class _Page(msgspec.Struct):
    id: str


class _Posts(msgspec.Struct):
    data: list[Post]


class GraphClient:
    """The API in a version, for the page of a token; a context manager.

    Methods raise ServiceError if Facebook refuses, or can't be reached within the retry policy.
    """

    def __init__(self, version: str, token: str, policy: RetryPolicy, server: str = SERVER):
        self._version = version
        self._api = f"{server.rstrip('/')}/{version}/"
        self._token = token
        self._policy = policy
        self._has_warned = False
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._session = HttpSession("Facebook", headers, policy, find_graph_error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.__exit__(None, None, None)

    def page_id(self) -> str | None:
        """Return the id of the page that the token is of; None if Facebook does not say."""
        page = self._get_or_none("me", {"fields": "id"}, "the token's page", _Page)
        return None if page is None else page.id

    def post(self, post_id: str) -> Post | None:
        """Return a post; None if it does not exist, or the token may not see it."""
        parameters = {"fields": "id,created_time,comments.filter(stream).limit(0).summary(true)"}
        return self._get_or_none(post_id, parameters, f"post {post_id}", Post)

    def newest_posts(self, page_id: str, limit: int) -> list[Post]:
        """Return the newest posts of a page."""
        parameters = {"fields": "id,created_time", "limit": str(limit)}
        what = f"posts of page {page_id}"
        return self._get(f"{page_id}/published_posts", parameters, what, lambda body: read_json(body, _Posts)).data

    def comment(self, comment_id: str) -> Comment | None:
        """Return a comment; None if it was deleted, or the token may not see it."""
        return self._get_or_none(comment_id, {"fields": _COMMENT_FIELDS}, f"comment {comment_id}", Comment)

    def comments(self, post_id: str, told: int | None = None) -> Iterator[CommentPage]:
        """Give a post's comments and the replies to them; Facebook does not always keep an order.

        `told` is Facebook's count of them. One that is too large for a page of its own is told as unreadable.
        """
        what = f"comments of post {post_id}"
        parameters = {"filter": "stream", "order": "chronological", "fields": _COMMENT_FIELDS}
        size = PageSize(_LARGEST_LIMIT)
        limit = ListingLimit(f"Facebook: {what}", told)
        asked: set[str] = set()
        empty_pages = 0
        while True:
            try:
                page = self._get(f"{post_id}/comments", parameters, what, read_page, size)
            except OversizeError:
                if size.halve():
                    continue
                # Without its text it tells its id, and what comes behind it.
                bare = {**parameters, "fields": _BARE_FIELDS}
                page = _without_texts(self._get(f"{post_id}/comments", bare, what, read_page, size))
            size.grow()
            limit.count(len(page.comments) + len(page.unreadable))
            yield page
            if page.after is None:
                return
            empty_pages = 0 if page.comments or page.unreadable else empty_pages + 1
            if page.after in asked or empty_pages > _MOST_EMPTY_PAGES:
                raise ServiceError(
                    f"Facebook: {what}: the listing does not end: {'a cursor came twice' if page.after in asked else 'empty pages'}; "
                    "expected a last page. Run this again; whatever arrived is kept."
                )
            asked.add(page.after)
            parameters["after"] = page.after

    def _get_or_none[Row](self, path: str, parameters: dict[str, str], what: str, model: type[Row]) -> Row | None:
        try:
            return self._ask(path, parameters, what, lambda body: read_json(body, model), None)
        except GraphError as error:
            if error.is_missing:
                return None
            raise explain(error, f"Facebook: {what}", self._token) from None

    def _get[Body](
        self,
        path: str,
        parameters: dict[str, str],
        what: str,
        read: Callable[[bytes], Body],
        size: PageSize | None = None,
    ) -> Body:
        try:
            return self._ask(path, parameters, what, read, size)
        except GraphError as error:
            raise explain(error, f"Facebook: {what}", self._token) from None

    def _ask[Body](
        self,
        path: str,
        parameters: dict[str, str],
        what: str,
        read: Callable[[bytes], Body],
        size: PageSize | None,
    ) -> Body:
        where = f"Facebook: {what}"

        def decode(body: bytes) -> Body:
            try:
                return read(body)
            except BrokenJSONError:
                raise TemporaryError("the response is not JSON", most_attempts=_MOST_ATTEMPTS) from None
            except NoIdsError:
                raise ServiceError(
                    f"{where}: they came without ids, as they do where the token may not moderate the page; expected ids. Use a page "
                    "token of somebody with the task MODERATE: Page Public Content Access is not enough."
                ) from None
            except NoPageError as error:
                raise ServiceError(
                    f"{where}: the response is not the Graph API's: {error}. Check Server and GraphVersion."
                ) from None

        def ask() -> DecodedResponse[Body]:
            query = {**parameters, **({"limit": str(size.rows)} if size is not None else {})}
            address = f"{self._api}{urllib.parse.quote(path, safe='/')}?{urllib.parse.urlencode(query)}"
            try:
                return self._session.get(address, what, decode)
            except GraphError as error:
                if error.is_too_many_calls:
                    raise TemporaryError(f"too many calls ({error.told()})", error.wait_seconds) from None
                if not error.is_temporary:
                    raise
                # "Less, please", for pages that take Facebook too long.
                if size is not None:
                    size.halve_for_good()
                raise TemporaryError(f"refused for now ({error.told()})") from None

        try:
            answer = call_with_retries(ask, where, self._policy)
        except RefusedError as refused:
            raise ServiceError(
                f"{where}: answered status {refused.status} without Facebook's explanation; expected 200. Check Server, and what is in "
                "front of it."
            ) from None
        self._warn_of_version(answer.headers.get("facebook-api-version"))
        return answer.body

    def _warn_of_version(self, version: str | None) -> None:
        if version is None or version == self._version or self._has_warned:
            return
        self._has_warned = True
        _logger.warning(
            "Facebook: version %s answered; expected %s, which GraphVersion names. It has probably ended: set GraphVersion to one that "
            "lives, and see what changed.",
            version,
            self._version,
        )


def _without_texts(page: CommentPage) -> CommentPage:
    reason = f"{TOO_LARGE}more than {LARGEST_ANSWER_BYTES >> 20} MiB"
    lost = [UnreadableComment(comment.id, reason) for comment in page.comments]
    return CommentPage([], [*lost, *page.unreadable], page.after)
