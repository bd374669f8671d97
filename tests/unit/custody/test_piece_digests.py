"""Digests of pieces: the same for the same piece by the same secret, and otherwise others."""

import random

from engagement.custody.backups.piece_digests import PieceDigests


def test_pieces_are_told_apart_by_a_secret_that_can_be_kept():
    chance = random.Random(1)
    digests, others = PieceDigests(), PieceDigests()
    again = PieceDigests(digests.secret)
    whole = chance.randbytes(100_000)
    # One bit, one byte more or less, zeros at the end, halves exchanged, whole blocks exchanged.
    pieces = [whole, bytes([whole[0] ^ 1]) + whole[1:], whole[:-1] + bytes([whole[-1] ^ 128]), whole[1:], whole[:-1]]
    pieces += [
        whole + b"\0",
        whole + b"\0" * 16,
        whole[50_000:] + whole[:50_000],
        whole[16:32] + whole[:16] + whole[32:],
    ]
    pieces += [b"", b"\0", b"\0" * 16, b"\0" * 32]
    found = [digests.digest(piece) for piece in pieces]
    assert len(set(found)) == len(pieces)
    assert {len(digest) for digest in found} == {16}
    assert [again.digest(memoryview(bytearray(piece))) for piece in pieces] == found
    assert not {others.digest(piece) for piece in pieces} & set(found)
