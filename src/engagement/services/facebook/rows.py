"""Posts and comments as the Graph API sends them.

Names of people are not asked for, and would not be read.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from engagement.services.json_pieces import BrokenJSONError, mend_surrogates

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Author(msgspec.Struct, frozen=True, gc=False):
    """Who wrote a comment; the id is another one for each page."""

    id: str


class Comment(msgspec.Struct, frozen=True, gc=False):
    """A comment or a reply. Stickers and pictures have no text, some comments no author."""

    id: str
    created_time: str
    message: str = ""
    author: Author | None = msgspec.field(name="from", default=None)
    is_hidden: bool = False

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("an empty id")
        read_time(self.created_time)

    @property
    def created_on(self) -> datetime:
        """When it was written; edits leave it as it is."""
        return read_time(self.created_time)


class Post(msgspec.Struct, frozen=True):
    """A post of the page."""

    id: str
    created_time: str
    comments: msgspec.Raw = msgspec.Raw(b"null")

    def __post_init__(self) -> None:
        read_time(self.created_time)

    @property
    def created_on(self) -> datetime:
        """When it was published."""
        return read_time(self.created_time)

    @property
    def comment_count(self) -> int | None:
        """Facebook's count of the comments, hidden and unseen ones included; None if it does not say."""
        try:
            return msgspec.json.decode(self.comments, type=_CommentCount).summary.total_count
        except _UNREADABLE:
            return None


@dataclass(frozen=True)
class UnreadableComment:
    """A comment that can't be used: its id, if that can be read, and the reason."""

    id: str | None
    reason: str


@dataclass(frozen=True)
class CommentPage:
    """Comments as they came, with their unreadable neighbours; `after` is the cursor of the next page."""

    comments: list[Comment]
    unreadable: list[UnreadableComment]
    after: str | None


class NoPageError(ValueError):
    """The response is JSON, but not what the Graph API sends."""


class NoIdsError(NoPageError):
    """Comments came without ids, as they do for a token that may not moderate the page."""


class _Summary(msgspec.Struct):
    total_count: int


class _CommentCount(msgspec.Struct):
    summary: _Summary


class _Cursors(msgspec.Struct):
    after: str | None = None


class _Paging(msgspec.Struct):
    cursors: _Cursors | None = None
    # It holds the token, so it is not even read: only whether it is there.
    next: msgspec.Raw = msgspec.Raw(b"null")


class _Page(msgspec.Struct):
    data: list[Comment]
    paging: _Paging | None = None


class _RawPage(msgspec.Struct):
    data: list[msgspec.Raw]
    paging: _Paging | None = None


class _AnyComment(msgspec.Struct):
    id: str | None = None


_decode_page = msgspec.json.Decoder(_Page).decode
_decode_raw_page = msgspec.json.Decoder(_RawPage).decode
_decode_comment = msgspec.json.Decoder(Comment).decode


def read_time(text: str) -> datetime:
    """Read a time as Facebook writes it.

    >>> read_time("2026-03-02T07:00:00+0000").isoformat()
    '2026-03-02T07:00:00+00:00'
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        # Its own error shows the text.
        raise ValueError("no time as Facebook writes it") from None
    if at.tzinfo is None or not 2004 <= at.year <= 9998:
        raise ValueError("a time without offset, or before Facebook")
    return at.astimezone(UTC)


def read_json[Row](body: bytes, model: type[Row]) -> Row:
    """Read one object.

    Raises
    ------
    BrokenJSONError
        It is not JSON, or breaks off.
    NoPageError
        It is something else.
    """
    body, _ = mend_surrogates(body)
    try:
        return msgspec.json.decode(body, type=model)
    except msgspec.ValidationError as error:
        raise NoPageError(str(error)) from None
    except _UNREADABLE:
        raise BrokenJSONError("not JSON") from None


def read_page(body: bytes) -> CommentPage:
    """Read a page of comments; raises what `read_json` does, and NoIdsError."""
    try:
        page = _decode_page(body)
    except _UNREADABLE:
        return _read_row_by_row(body)
    return CommentPage(page.data, [], _cursor(page.paging))


def _read_row_by_row(body: bytes) -> CommentPage:
    body, _ = mend_surrogates(body)
    try:
        page = _decode_raw_page(body)
    except msgspec.ValidationError as error:
        raise NoPageError(str(error)) from None
    except _UNREADABLE:
        raise BrokenJSONError("not JSON") from None
    comments: list[Comment] = []
    unreadable: list[UnreadableComment] = []
    for row in page.data:
        try:
            comments.append(_decode_comment(row))
        except _UNREADABLE as error:
            # msgspec names keys and types, never values.
            reason = str(error) if isinstance(error, msgspec.ValidationError) else "not JSON"
            unreadable.append(UnreadableComment(_id_of(row), reason))
    if not comments and unreadable and all(row.id is None for row in unreadable):
        raise NoIdsError("comments without ids")
    return CommentPage(comments, unreadable, _cursor(page.paging))


def _id_of(row: msgspec.Raw) -> str | None:
    try:
        return msgspec.json.decode(row, type=_AnyComment).id
    except _UNREADABLE:
        return None


def _cursor(paging: _Paging | None) -> str | None:
    """Find the next page's cursor. A page can be short or empty and still have a next one."""
    if paging is None or bytes(paging.next) == b"null":
        return None
    if paging.cursors is None or not paging.cursors.after:
        raise NoPageError("a next page without a cursor")
    return paging.cursors.after
