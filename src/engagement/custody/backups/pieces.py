"""Cutting files into pieces at places that their content chooses.

A line that is added, changed or removed changes the pieces around it, and no others: wherever else in a file the same lines
follow each other, the same pieces come out.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from isal import isal_zlib

# Smaller pieces would take more of an archive, larger ones would change more often.
LEAST_BYTES = 80 * 2**10
MOST_BYTES = 2**18
# After so many bytes more than the least, on average, a line ends a piece; a long line does in half of all cases.
_BYTES_TO_A_CUT = 2**14
_HELD_BYTES = 2**20
# The longest ending: the padding of a file in an archive.
_MOST_ENDING_BYTES = 2**9
_NEWLINE = 10
PIECES_FORMAT = f"pieces of {LEAST_BYTES}, {_BYTES_TO_A_CUT} and {MOST_BYTES} bytes"


class Readable(Protocol):
    """Content that is read from its beginning to its end."""

    def readinto(self, view: memoryview, /) -> int | None:
        """Read into a view as much as there is, and say how much; nothing at the end."""


class Batch(NamedTuple):
    """Pieces that follow each other, and their buffer, which may be used again after them."""

    pieces: list[memoryview]
    buffer: bytearray


def make_buffer() -> bytearray:
    """Make a buffer for a batch of pieces."""
    return bytearray(_HELD_BYTES + _MOST_ENDING_BYTES)


def cut(
    content: Readable, size: int, ending: bytes = b"", take_buffer: Callable[[], bytearray] = make_buffer
) -> Iterator[Batch]:
    """Cut content of so many bytes into pieces, a batch at a time.

    The last piece ends with `ending`.
    """
    left, rest = size, memoryview(b"")
    while left or rest:
        buffer = take_buffer()
        view = memoryview(buffer)
        # The rest is in the buffer before, which may be this one; nobody has written to it since.
        held = len(rest)
        view[:held] = rest
        while left and held < _HELD_BYTES:
            read = content.readinto(view[held : min(_HELD_BYTES, held + left)]) or 0
            # Content that ends early ends here, too.
            held, left = held + read, left - read if read else 0
        ends = list(_find_ends(buffer, view, held, not left))
        starts = [0, *ends]
        rest = view[starts[-1] : held]
        if not left:
            view[held : held + len(ending)] = ending
            ends[-1:] = [end + len(ending) for end in ends[-1:]]
        yield Batch([view[start:end] for start, end in zip(starts, ends, strict=False)], buffer)


def _find_ends(data: bytearray, view: memoryview, held: int, is_end: bool) -> Iterator[int]:
    """Find where the pieces end of what is held, as far as they do not depend on what comes behind."""
    start = 0
    while start < held and (end := _find_end(data, view, start, held, is_end)):
        yield end
        start = end


def _find_end(data: bytearray, view: memoryview, start: int, held: int, is_end: bool) -> int:
    """Return where the piece ends that begins at `start`; 0 if that takes more than is held.

    That is behind the first line after the least size that is chosen by its own bytes, the longer the likelier. Without one,
    the first line after the least size ends the piece; without any line, so does the most size.
    """
    least, most = start + LEAST_BYTES, min(start + MOST_BYTES, held)
    # The last piece gets the ending, so it is not known before the end is.
    is_known = is_end or held > start + MOST_BYTES
    if least >= most:
        return most if is_known else 0
    first = line = data.find(_NEWLINE, least, most) + 1
    while line:
        end = data.find(_NEWLINE, line, most) + 1
        # If every long line were chosen, pieces would be of equal numbers of lines, and an added line would move them all.
        if end and isal_zlib.crc32(view[line:end]) * _BYTES_TO_A_CUT < min(end - line, _BYTES_TO_A_CUT // 2) << 32:
            return end if is_end or end < held else 0
        line = end
    return (first or most) if is_known else 0
