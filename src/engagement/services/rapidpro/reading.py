"""Reading RapidPro's answers: whole pages at once, and row by row where that fails.

A row that can't be used is told as an `UnreadableRow` beside the others. A row of a flow that nobody asked for is not looked
into.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

import msgspec

from engagement.services.json_pieces import BrokenJSONError, mend_surrogates, split_list, split_object
from engagement.services.rapidpro.rows import UNREADABLE, Instant, Page, Reference, UnreadableRow, Workspace, is_sane

# A server sends 250 rows a page, of some dozens of values each.
_MOST_ROWS = 5_000
_MOST_VALUES = 500_000
_decode_workspace = msgspec.json.Decoder(Workspace).decode
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# RapidPro's keys of runs, contacts and flows: any other can be anything, a person's name among them.
_KEYS = frozenset(
    [
        "uuid",
        "flow",
        "contact",
        "created_on",
        "modified_on",
        "exited_on",
        "exit_type",
        "id",
        "values",
        "start",
        "responded",
        "path",
        "events",
        "submitted_by",
        "name",
        "urns",
        "status",
        "language",
        "fields",
        "groups",
        "notes",
        "blocked",
        "stopped",
        "last_seen_on",
        "archived",
        "results",
    ]
)


class NotAPageError(Exception):
    """The answer is JSON, but no page of rows. The text says in what it differs."""


class TooLargeError(Exception):
    """A page or a row holds more than is sane. The text says how much that is."""


class _PageBody[Row](msgspec.Struct):
    results: list[Row]
    next: str | None = None


class RowReader[Row]:
    """Reads rows of one type. With `flows`, uuids of flows, it reads their runs and skips the others."""

    def __init__(self, row: type[Row], flows: Collection[str] | None = None):
        self._decode_page = msgspec.json.Decoder(_PageBody[row]).decode  # type: ignore[valid-type]  # known at run time
        self._decode_row = msgspec.json.Decoder(row).decode
        self._flows = flows

    def read_page(self, content: bytes) -> Page[Row]:
        """Read an answer; `following` is what it gives as the address of the next page.

        Raises
        ------
        BrokenJSONError
            It is no JSON, or only the beginning of some.
        NotAPageError, TooLargeError
            It is something else than a page, or more than one can be.
        """
        _check_size(content)
        try:
            body = self._decode_page(content)
        except UNREADABLE:
            return self._read_row_by_row(content)
        _check_rows(len(body.results))
        rows = body.results
        return Page(rows if self._flows is None else [row for row in rows if self._is_wanted(row)], body.next)

    def read_rows(self, texts: Iterable[bytes]) -> Page[Row]:
        """Read rows one by one: those of a page that can't be decoded at once, or lines of an archive.

        Raises
        ------
        TooLargeError
            A row that can't be decoded is larger than is sane.
        """
        rows: list[Row] = []
        unreadable: list[UnreadableRow] = []
        replaced = unbounded = 0
        newest: datetime | None = None
        for text in texts:
            try:
                row, halves = self._decode_row(text), 0
            except UNREADABLE as failure:
                mended, halves, reason = self._mend(text, failure)
                if mended is None:
                    unreadable += self._describe(text, reason, newest)
                    continue
                row = mended
            newest = getattr(row, "modified_on", None)
            # Rows come in the order of their times: those that do not tell theirs lie between their neighbours.
            if unbounded < len(unreadable):
                unreadable[unbounded:] = [
                    replace(lost, before=lost.before or newest) for lost in unreadable[unbounded:]
                ]
                unbounded = len(unreadable)
            if self._is_wanted(row):
                replaced += halves
                rows.append(row)
        return Page(rows, unreadable=tuple(unreadable), replaced_characters=replaced)

    def _is_wanted(self, row: Row) -> bool:
        return self._flows is None or row.flow.uuid in self._flows  # type: ignore[attr-defined]  # only runs have a flow

    def _read_row_by_row(self, content: bytes) -> Page[Row]:
        try:
            members = split_object(content, _MOST_VALUES)
        except BrokenJSONError:
            if _is_json(content):
                raise NotAPageError("it is not an object") from None
            raise
        following = members.get(b'"next"', b"null")
        address = decode_or_none(following, str)
        if address is None and following != b"null":
            raise NotAPageError("'next' is no text")
        if not members.get(b'"results"', b"").startswith(b"["):
            raise NotAPageError("it has no list 'results'")
        texts = split_list(members[b'"results"'], _MOST_VALUES)
        _check_rows(len(texts))
        return replace(self.read_rows(texts), following=address)

    def _mend(self, text: bytes, failure: Exception) -> tuple[Row | None, int, Exception]:
        _check_size(text)
        mended, halves = mend_surrogates(text)
        if halves:
            try:
                return self._decode_row(mended), halves, failure
            except UNREADABLE as next_failure:
                failure = next_failure
        return None, 0, failure

    def _describe(self, text: bytes, failure: Exception, newest: datetime | None) -> list[UnreadableRow]:
        """Tell of a row that can't be used what can be told; nothing of one that nobody asked for."""
        try:
            members = split_object(text, _MOST_VALUES)
        except BrokenJSONError:
            return [UnreadableRow(None, None, newest, None, "", "Not a JSON object")]
        flow = decode_or_none(members.get(b'"flow"', b""), Reference)
        if self._flows is not None and flow is not None and flow.uuid not in self._flows:
            return []
        uuid = decode_or_none(members.get(b'"uuid"', b""), str)
        at = decode_or_none(members.get(b'"modified_on"', b""), Instant)
        if at is not None and not is_sane(at):
            at = None
        key, reason = _explain(failure, members)
        uuid = uuid if uuid and _UUID.fullmatch(uuid) else None
        return [UnreadableRow(uuid, None if flow is None else flow.uuid, at or newest, at, key, reason)]


def read_workspace(content: bytes) -> Workspace:
    """Read what a server tells of its workspace.

    Raises
    ------
    BrokenJSONError
        It is no JSON, or only the beginning of some.
    NotAPageError
        It is something else than a workspace.
    """
    try:
        return _decode_workspace(content)
    except msgspec.ValidationError as error:
        raise NotAPageError(str(error)) from None
    except UNREADABLE:
        raise BrokenJSONError from None


def _explain(failure: Exception, members: dict[bytes, bytes]) -> tuple[str, str]:
    """The key that a row can't be read at, and why. Neither holds anything of the row: msgspec tells types, and keys of ours."""
    if isinstance(failure, msgspec.ValidationError):
        reason, _, place = str(failure).partition(" - at `$")
        return place.rstrip("`").lstrip("."), reason
    key = next((key for key, value in members.items() if not _is_json(value)), b"").decode(errors="replace").strip('"')
    if isinstance(failure, RecursionError):
        reason = "Nested too deeply"
    else:
        reason = "Text that is not UTF-8" if isinstance(failure, UnicodeDecodeError) else "Not JSON"
    return key if key in _KEYS else "", reason


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text)
    except UNREADABLE:
        return False
    return True


def decode_or_none[Value](text: bytes, kind: type[Value]) -> Value | None:
    """The value that a piece of JSON holds; None if it is another kind of value, or none."""
    try:
        return msgspec.json.decode(text, type=kind)
    except UNREADABLE:
        return None


def _check_size(text: bytes) -> None:
    # Each value but the first of a list or an object follows a comma. This is what bounds the memory that a page can take.
    # A value takes two bytes with its comma: most pages are too short to hold so many, and are not searched.
    if len(text) > 2 * _MOST_VALUES and text.count(b",") > _MOST_VALUES:
        raise TooLargeError(f"more than {_MOST_VALUES} values")


def _check_rows(rows: int) -> None:
    if rows > _MOST_ROWS:
        raise TooLargeError(f"{rows} rows; expected at most {_MOST_ROWS}")
