"""Cutting files into pieces at places that their content chooses.

A line that is added, changed or removed changes the pieces around it, and no others: wherever else in a file the same lines
follow each other, the same pieces come out.
"""

from collections.abc import Iterator
from typing import Protocol

from isal import isal_zlib

# Smaller pieces would take more of an archive, larger ones would change more often.
LEAST_BYTES = 80 * 2**10
MOST_BYTES = 2**18
# After so many bytes more than the least, on average, a line ends a piece; a long line does in half of all cases.
_BYTES_TO_A_CUT = 2**14
_BUFFER_BYTES = 2**20
_NEWLINE = 10
PIECES_FORMAT = f"pieces of {LEAST_BYTES}, {_BYTES_TO_A_CUT} and {MOST_BYTES} bytes"


class Readable(Protocol):
    """Content that is read from its beginning to its end."""

    def readinto(self, view: memoryview, /) -> int | None:
        """Read into a view as much as there is, and say how much; nothing at the end."""


def cut(content: Readable, size: int, ending: bytes = b"") -> Iterator[bytes]:
    """Cut content of so many bytes into pieces; the last piece ends with `ending`."""
    # A byte more than there is, so that the end is seen.
    buffer = bytearray(min(_BUFFER_BYTES, size + 1))
    view = memoryview(buffer)
    held, is_end = 0, False
    while not is_end:
        while held < len(buffer) and not is_end:
            read = content.readinto(view[held:]) or 0
            held, is_end = held + read, not read
        start = 0
        # What comes behind may be part of a piece, unless there is enough for the largest.
        while held - start > MOST_BYTES or (is_end and start < held):
            end = _find_end(buffer, view, start, held)
            is_last = is_end and end == held
            yield b"".join((view[start:end], ending)) if is_last else bytes(view[start:end])
            start = end
        view[: held - start] = view[start:held]
        held -= start


def _find_end(data: bytearray, view: memoryview, start: int, stop: int) -> int:
    """Return where the piece ends that begins at `start`; what is held ends at `stop`.

    That is behind the first line after the least size that is chosen by its own bytes, the longer the likelier. Without one,
    the first line after the least size ends the piece; without any line, so does the most size.
    """
    least, most = start + LEAST_BYTES, min(start + MOST_BYTES, stop)
    if least >= most:
        return most
    first = line = data.find(_NEWLINE, least, most) + 1
    while line:
        end = data.find(_NEWLINE, line, most) + 1
        # If every long line were chosen, pieces would be of equal numbers of lines, and an added line would move them all.
        if end and isal_zlib.crc32(view[line:end]) * _BYTES_TO_A_CUT < min(end - line, _BYTES_TO_A_CUT // 2) << 32:
            return end
        line = end
    return first or most
