"""Reading RapidPro's responses: a whole page at once, or row by row if that fails.

An unusable row is reported as an `UnreadableRow` beside the others. Rows of flows that nobody asked for are skipped
unread.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

import msgspec

from engagement.foundation.files import count_line_ends
from engagement.services.json_pieces import BrokenJSONError, mend_surrogates, split_list, split_object
from engagement.services.rapidpro.rows import UNREADABLE, Instant, Page, Reference, UnreadableRow, Workspace, is_sane

# A server sends 250 rows a page, with a few dozen values each.
_MOST_ROWS = 5_000
_MOST_VALUES = 500_000
_decode_workspace = msgspec.json.Decoder(Workspace).decode
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# RapidPro's own keys in runs, contacts and flows; any other key can be anything, even a person's name.
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
    """The response is JSON, but not a page of rows; the text says how it differs."""


class TooLargeError(Exception):
    """A page or a row is far too large; the text says how large."""


class _PageBody[Row](msgspec.Struct):
    results: list[Row]
    next: str | None = None


class RowReader[Row]:
    """Reads rows of one type. With `flows` (uuids), reads only their runs."""

    def __init__(self, row: type[Row], flows: Collection[str] | None = None):
        self._decode_page = msgspec.json.Decoder(_PageBody[row]).decode  # type: ignore[valid-type]  # known at run time
        decoder = msgspec.json.Decoder(row)
        self._decode_row, self._decode_lines = decoder.decode, decoder.decode_lines
        self._flows = flows

    def read_page(self, content: bytes) -> Page[Row]:
        """Read a response; `following` is its address of the next page.

        Raises
        ------
        BrokenJSONError
            It is not JSON, or is cut off.
        NotAPageError, TooLargeError
            It is not a page, or is larger than a page can be.
        """
        _check_size(content)
        try:
            body = self._decode_page(content)
        except UNREADABLE:
            return self._read_row_by_row(content)
        _check_rows(len(body.results))
        return Page(self._wanted(body.results), body.next)

    def read_lines(self, block: bytes) -> tuple[int, Page[Row]]:
        """Read an archive's lines at once, a row each; returns how many they are, without blank ones.

        Raises
        ------
        TooLargeError
            An undecodable row is far too large.
        """
        try:
            rows = self._decode_lines(block)
        except UNREADABLE:
            rows = []
        # Else some lines are blank, or have no row or several.
        if rows and len(rows) == count_line_ends(block) + (not block.endswith(b"\n")):
            return len(rows), Page(self._wanted(rows))
        texts = [text for text in block.split(b"\n") if text and not text.isspace()]
        return len(texts), self.read_rows(texts)

    def read_rows(self, texts: Iterable[bytes]) -> Page[Row]:
        """Read rows one by one, from a page or an archive's lines that can't be decoded at once.

        Raises
        ------
        TooLargeError
            An undecodable row is far too large.
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
            # Rows come in time order: a row without a readable time lies between its neighbours.
            if unbounded < len(unreadable):
                unreadable[unbounded:] = [
                    replace(lost, before=lost.before or newest) for lost in unreadable[unbounded:]
                ]
                unbounded = len(unreadable)
            if self._is_wanted(row):
                replaced += halves
                rows.append(row)
        return Page(rows, unreadable=tuple(unreadable), replaced_characters=replaced)

    def _wanted(self, rows: list[Row]) -> list[Row]:
        return rows if self._flows is None else [row for row in rows if self._is_wanted(row)]

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
            raise NotAPageError("'next' is not a string")
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
        """Describe an unusable row as far as possible; return nothing for a row that nobody asked for."""
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
    """Read the server's description of its workspace.

    Raises
    ------
    BrokenJSONError
        It is not JSON, or is cut off.
    NotAPageError
        It is not a workspace.
    """
    try:
        return _decode_workspace(content)
    except msgspec.ValidationError as error:
        raise NotAPageError(str(error)) from None
    except UNREADABLE:
        raise BrokenJSONError from None


def _explain(failure: Exception, members: dict[bytes, bytes]) -> tuple[str, str]:
    """Return the unreadable key and the reason.

    Neither shows the row's content: msgspec names types and our keys only.
    """
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
    """Decode a piece of JSON; None if it is invalid or of another type."""
    try:
        return msgspec.json.decode(text, type=kind)
    except UNREADABLE:
        return None


def _check_size(text: bytes) -> None:
    # Every value except the first in a list or object follows a comma, so counting commas limits the memory of a page.
    # A value takes two bytes with its comma: most pages are too short to exceed the limit, and are not counted.
    if len(text) > 2 * _MOST_VALUES and text.count(b",") > _MOST_VALUES:
        raise TooLargeError(f"more than {_MOST_VALUES} values")


def _check_rows(rows: int) -> None:
    if rows > _MOST_ROWS:
        raise TooLargeError(f"{rows} rows; expected at most {_MOST_ROWS}")
