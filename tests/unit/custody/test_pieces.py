"""Cutting files into pieces: nothing is lost, the sizes are kept, and a change stays where it is. All data is invented."""

import io
import random

import pytest

from engagement.custody.backups.pieces import LEAST_BYTES, MOST_BYTES, Readable, cut, make_buffer


class Slow(io.BytesIO):
    """Content of which only a few bytes come at a time."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self._most = most

    def readinto(self, view: memoryview) -> int:
        return super().readinto(view[: self._most])


class Short(io.BytesIO):
    """Content that ends earlier than was said."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data[: len(data) // 2])


def make_lines(length: int, size: int) -> list[bytes]:
    chance = random.Random(length)
    return [chance.randbytes(length // 2).hex().encode() + b"\n" for _ in range(size // length)]


def pieces_of(data: bytes) -> list[bytes]:
    return cut_all(io.BytesIO(data), len(data))


def cut_all(content: Readable, size: int, ending: bytes = b"") -> list[bytes]:
    """Cut content with a single buffer, which is used for each batch again."""
    buffer = make_buffer()
    batches = cut(content, size, ending, lambda: buffer)
    return [bytes(piece) for batch in batches for piece in batch.pieces]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"x" * LEAST_BYTES,
        b"\n" * 700_000,
        b"x" * MOST_BYTES,
        b"x" * (3 * MOST_BYTES + 1),
        random.Random(1).randbytes(3_000_000),
        b"".join(make_lines(300, 3_000_000)),
        b"".join(make_lines(200_000, 3_000_000)),
        b"".join(make_lines(600_000, 3_000_000)) + b"no end",
    ],
    ids=["empty", "byte", "least", "newlines", "most", "one line", "binary", "short", "long", "longer than pieces"],
)
def test_pieces_are_the_content_by_sizes_that_are_kept_however_it_is_read(data):
    pieces = pieces_of(data)
    assert b"".join(pieces) == data
    assert all(LEAST_BYTES <= len(piece) <= MOST_BYTES for piece in pieces[:-1])
    assert all(0 < len(piece) <= MOST_BYTES for piece in pieces)
    assert cut_all(Slow(data, 77_777), len(data)) == pieces
    assert [bytes(piece) for batch in list(cut(io.BytesIO(data), len(data))) for piece in batch.pieces] == pieces
    assert cut_all(Short(data), len(data)) == pieces_of(data[: len(data) // 2])
    assert cut_all(io.BytesIO(data), len(data), b"\0\0") == [
        *pieces[:-1],
        *(piece + b"\0\0" for piece in pieces[-1:]),
    ]


@pytest.mark.parametrize("length", [60, 300, 3000, 30_000, 100_000])
def test_a_changed_line_changes_few_pieces(length):
    lines = make_lines(length, 3_000_000)
    before = pieces_of(b"".join(lines))
    assert sum(map(len, before)) / len(before) < 180_000
    for place in (0, len(lines) // 2, len(lines) - 1):
        for changed in ([*lines[:place], b"new\n", *lines[place:]], [*lines[:place], *lines[place + 1 :]]):
            after = pieces_of(b"".join(changed))
            assert len(set(after) - set(before)) <= 8, place
