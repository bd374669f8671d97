"""Encoding records straight to bytes: new ones, and known ones with another newest update."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from itertools import repeat

from engagement.provenance.traced_data import Metadata

# Quotation marks within texts have a backslash before them.
_END_OF_UPDATE = re.compile(rb'"SHA": "[0-9a-f]{64}"}, ')
_SHA = re.compile(rb'"SHA": "([0-9a-f]{64})"')


class LineEncoder:
    """Encodes new records, each as a line of a TracedData file, whose updates all come from one step."""

    def __init__(self, metadata: Metadata):
        self._end_of_data = f', "Metadata": {metadata.encoded}, "NestedTracedData": {{}}, "SHA": "'.encode("ascii")

    def encode(self, encoded_data: Iterable[bytes]) -> bytes:
        """Encode a record with its line end.

        Its data, oldest first, are JSON with sorted keys, as written by `json.dumps`.
        """
        return self.encode_all([[data] for data in encoded_data])[0]

    def encode_all(self, encoded_data: Sequence[Sequence[bytes]]) -> list[bytes]:
        """Encode records of as many updates each: the data of their oldest ones, then of the next."""
        shas: Iterable[bytes] = repeat(b"")
        # Columns, as in `LineTemplate`; joined once at the end, as each copy of a line costs as much as its hash.
        columns: list[Iterable[bytes]] = [repeat(b'"}]\n')]
        for data in encoded_data:
            shas = _hash_updates(data, shas)
            columns = [repeat(b'"}, {"Data": '), data, repeat(self._end_of_data), shas, *columns]
        columns[0] = repeat(b'[{"Data": ')
        return list(map(b"".join, zip(*columns, strict=False)))

    def encode_update(self, data: bytes, previous_sha: bytes) -> bytes:
        """Encode an update that follows the one with the hash `previous_sha`."""
        return b"".join((b'{"Data": ', data, self._end_of_data, *_hash_updates([data], [previous_sha]), b'"}'))


def replace_newest_update(line: bytes, data: bytes, metadata: Metadata) -> bytes:
    """Replace the newest of a line's updates; the older ones keep their bytes.

    Raises
    ------
    ValueError
        The line has fewer than two updates.
    """
    end = _END_OF_UPDATE.search(line)
    older = None if end is None else _SHA.search(line, end.end())
    if end is None or older is None:
        raise ValueError("a record without an older update")
    newest = LineEncoder(metadata).encode_update(data, older[1])
    return b"[" + newest + b", " + line[end.end() :]


def _hash_updates(encoded_data: Sequence[bytes], previous_shas: Iterable[bytes]) -> list[bytes]:
    pieces = zip(
        *(repeat(b'{"data": '), encoded_data, repeat(b', "prev_sha": "'), previous_shas, repeat(b'"}')), strict=False
    )
    shas = [hashlib.sha256(hashed).hexdigest() for hashed in map(b"".join, pieces)]
    return "\n".join(shas).encode("ascii").split(b"\n")
