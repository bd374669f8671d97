"""A message of an export: who wrote what and when, or why it is left out. Names are never read."""

import enum
import hashlib
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

# Telegram Desktop puts the messages from before a group became a supergroup so far below the others.
FORMER_SHIFT = 1_000_000_000
_FIRST_CHAT = 1 << 32
_PEER = re.compile(r"(user|channel|chat)(\d{1,19})")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LATEST = datetime(9998, 1, 1, tzinfo=UTC).timestamp()


class LeftOutMessage(enum.StrEnum):
    """Why a message is no participant's answer."""

    SERVICE = "service messages"
    NO_USER = "without a user, such as deleted accounts"
    CHANNEL = "of anonymous admins and channels"
    BOT = "of bots"
    FORWARDED = "forwarded"
    NO_TEXT = "without a text"


class ExportedMessage(NamedTuple):
    """A message. If it is left out it has no user and no text. Times are Unix seconds; `edited` can be 0."""

    number: int
    sent: int
    edited: int
    user: int | None
    text: str
    left_out: LeftOutMessage | None

    @property
    def time(self) -> datetime:
        """When it was sent; an edit leaves it as it is."""
        return datetime.fromtimestamp(self.sent, UTC)

    def digest(self) -> int:
        """Return a number that changes with the message; 0 if it is left out.

        The user has no part in it: who guesses ids could find the right one.
        """
        if self.left_out is not None:
            return 0
        content = f"{self.sent} {self.text}".encode()
        return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest()) | 1


class UnreadableMessageError(ValueError):
    """A message that can't be used. The text shows nothing of it."""


class NoTimeZoneError(UnreadableMessageError):
    """The message has a local time alone, as in old exports, and no time zone is configured."""


class MessageReader:
    """Reads messages of exports; `zone` is that of local times, `bots` are ids of the group's bots."""

    def __init__(self, zone: ZoneInfo | None, bots: Collection[int]):
        self._zone = zone
        self._bots = bots

    def read(self, row: Any) -> ExportedMessage:
        """Read a message.

        Raises
        ------
        UnreadableMessageError
            It lacks its id or time, or is of another form.
        """
        if not isinstance(row, dict):
            raise UnreadableMessageError("no object")
        number = row.get("id")
        if not isinstance(number, int) or isinstance(number, bool) or abs(number) >= 1 << 62:
            raise UnreadableMessageError("id: no whole number")
        sent = self._time(row, "date")
        if sent is None:
            raise UnreadableMessageError("date_unixtime: missing")
        edited = self._time(row, "edited") or 0
        user, text, left_out = self._content(row)
        if left_out is not None:
            return ExportedMessage(number, sent, edited, None, "", left_out)
        return ExportedMessage(number, sent, edited, user, text, None)

    def _content(self, row: dict[str, Any]) -> tuple[int | None, str, LeftOutMessage | None]:
        if row.get("type") != "message":
            return None, "", LeftOutMessage.SERVICE
        kind, user = _peer(row.get("from_id"))
        text = _text(row.get("text", ""))
        for reason, holds in (
            (LeftOutMessage.CHANNEL, kind in ("channel", "chat")),
            (LeftOutMessage.NO_USER, user is None),
            (LeftOutMessage.BOT, user in self._bots or "via_bot" in row),
            (LeftOutMessage.FORWARDED, "forwarded_from" in row or "forwarded_from_id" in row),
            (LeftOutMessage.NO_TEXT, not text.strip()),
        ):
            if holds:
                return None, "", reason
        return user, text, None

    def _time(self, row: dict[str, Any], name: str) -> int | None:
        """Read a time; None if there is none. Old exports only have that of the computer that made them."""
        unix, local = row.get(f"{name}_unixtime"), row.get(name)
        if unix is not None:
            try:
                seconds = int(unix)
            except (TypeError, ValueError, OverflowError):
                raise UnreadableMessageError(f"{name}_unixtime: no number") from None
            if not 0 <= seconds < _LATEST:
                raise UnreadableMessageError(f"{name}_unixtime: no time")
            return seconds
        if local is None:
            return None
        if self._zone is None:
            raise NoTimeZoneError(f"{name}_unixtime: missing")
        try:
            at = datetime.fromisoformat(local)
            at = at if at.tzinfo is not None else at.replace(tzinfo=self._zone)
            seconds = int(at.timestamp())
        except (TypeError, ValueError, OverflowError):
            raise UnreadableMessageError(f"{name}: no time") from None
        # Old exports write 1970 for messages that were never edited.
        return seconds if seconds > 86_400 else None


def _peer(identity: object) -> tuple[str, int | None]:
    """Read who wrote: "user7000000012", or a number in old exports."""
    if isinstance(identity, bool):
        raise UnreadableMessageError("from_id: no id")
    if isinstance(identity, int):
        return ("user", identity) if 0 < identity < _FIRST_CHAT else ("chat", None)
    if identity is None or identity == "":
        return "", None
    found = _PEER.fullmatch(identity) if isinstance(identity, str) else None
    if found is None:
        raise UnreadableMessageError("from_id: no id of a user, a chat or a channel")
    return found[1], int(found[2]) if found[1] == "user" else None


def _text(text: object) -> str:
    """Join a text that comes in pieces: words, and objects for links and mentions."""
    pieces = text if isinstance(text, list) else [text]
    words: list[str] = []
    for piece in pieces:
        word = piece.get("text", "") if isinstance(piece, dict) else piece
        if not isinstance(word, str):
            raise UnreadableMessageError("text: no text")
        words.append(word)
    return _SURROGATE.sub("\ufffd", "".join(words))
