"""Read an export as a stream: what it says of the chat, then one message after another."""

import codecs
import json
import math
from collections.abc import Iterator
from typing import Any, BinaryIO

_BLOCK_BYTES = 1 << 18
# The longest text has 4,096 characters; with all its entities a message stays far below.
_LONGEST_VALUE = 1 << 23
_MOST_DIGITS = 100


class DamagedExportError(ValueError):
    """The file is not a whole export of one chat. The text says why, and shows nothing of it."""


def _read_int(digits: str) -> float:
    """Read a whole number; one that no program writes is infinite, as Python refuses to read it."""
    return int(digits) if len(digits) <= _MOST_DIGITS else math.inf


class ExportStream:
    """An export that is being read: `header` first, then `messages` once."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._scan = json.JSONDecoder(parse_int=_read_int).raw_decode
        self._text = ""
        self._at = 0
        self._is_whole = False

    def header(self) -> dict[str, Any]:
        """Read the values that come before the messages.

        Raises
        ------
        DamagedExportError
            There are no messages.
        """
        found: dict[str, Any] = {}
        self._expect("{")
        while True:
            name = self._value()
            self._expect(":")
            if name == "messages":
                self._expect("[")
                return found
            if name == "chats":
                raise DamagedExportError("it is an export of a whole account; expected one of the group alone")
            found[str(name)] = self._value()
            if self._next() != ",":
                raise DamagedExportError("it has no messages; expected a list of them")
            self._at += 1

    def messages(self) -> Iterator[Any]:
        """Give the messages in the file's order.

        Raises
        ------
        DamagedExportError
            The file breaks off, or is not JSON any more.
        """
        if self._next() == "]":
            return
        while True:
            yield self._value()
            sign = self._next()
            self._at += 1
            if sign == "]":
                break
            if sign != ",":
                raise DamagedExportError("its messages are not a list of JSON")
        if self._next() not in ("}", ","):
            raise DamagedExportError("it breaks off")

    def _value(self) -> Any:
        """Read a value whole: one that the block cuts is read again with the next block."""
        self._next()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except (json.JSONDecodeError, RecursionError) as error:
                is_deep = isinstance(error, RecursionError)
                if is_deep or len(self._text) - self._at > _LONGEST_VALUE or not self._read_on():
                    raise DamagedExportError("it breaks off, or is not JSON") from None
                continue
            # A number at the end of a block may go on in the next.
            if end == len(self._text) and self._read_on():
                continue
            self._at = end
            return value

    def _next(self) -> str:
        """Return the next sign that is no white space."""
        while True:
            while self._at < len(self._text):
                if not self._text[self._at].isspace():
                    return self._text[self._at]
                self._at += 1
            if not self._read_on():
                raise DamagedExportError("it breaks off")

    def _expect(self, sign: str) -> None:
        if self._next() != sign:
            raise DamagedExportError("it is not JSON as Telegram Desktop writes it")
        self._at += 1

    def _read_on(self) -> bool:
        """Read a block more and forget what is read; false at the end."""
        if self._is_whole:
            return False
        block = self._file.read(_BLOCK_BYTES)
        self._is_whole = not block
        try:
            more = self._decode(block, self._is_whole)
        except UnicodeDecodeError:
            raise DamagedExportError("it is not UTF-8") from None
        self._text = self._text[self._at :] + more
        self._at = 0
        return bool(block)
