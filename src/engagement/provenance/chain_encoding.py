"""Encoding new records straight to bytes, for steps that create many and never reread them."""

import hashlib
from collections.abc import Iterable

from engagement.provenance.traced_data import Metadata


def encode_line(encoded_data: Iterable[str], metadata: Metadata) -> bytes:
    """Encode a new record as a line of a TracedData file, with its line end.

    All updates come from one step. Their data, oldest first, are JSON with sorted keys, as written by `json.dumps`.
    """
    rest = f', "Metadata": {metadata.encoded}, "NestedTracedData": {{}}, "SHA": "'
    line, sha = "", ""
    for data in encoded_data:
        sha = hashlib.sha256(f'{{"data": {data}, "prev_sha": "{sha}"}}'.encode("ascii")).hexdigest()
        line = f'{{"Data": {data}{rest}{sha}"}}{", " if line else ""}{line}'
    return f"[{line}]\n".encode("ascii")
