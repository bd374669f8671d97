"""Encoding records straight to bytes: new ones, and known ones with another newest update."""

import hashlib
import re
from collections.abc import Iterable

from engagement.provenance.traced_data import Metadata

# Quotation marks within texts have a backslash before them.
_END_OF_UPDATE = re.compile(rb'"SHA": "[0-9a-f]{64}"}, ')
_SHA = re.compile(rb'"SHA": "([0-9a-f]{64})"')


def encode_line(encoded_data: Iterable[str], metadata: Metadata) -> bytes:
    """Encode a new record as a line of a TracedData file, with its line end.

    All updates come from one step. Their data, oldest first, are JSON with sorted keys, as written by `json.dumps`.
    """
    line, sha = "", ""
    for data in encoded_data:
        update, sha = _encode_update(data, sha, metadata)
        line = f"{update}{', ' if line else ''}{line}"
    return f"[{line}]\n".encode("ascii")


def replace_newest_update(line: bytes, data: str, metadata: Metadata) -> bytes:
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
    update, _ = _encode_update(data, older[1].decode(), metadata)
    return b"[" + update.encode("ascii") + b", " + line[end.end() :]


def _encode_update(data: str, previous_sha: str, metadata: Metadata) -> tuple[str, str]:
    """Encode an update; returns its hash too."""
    sha = hashlib.sha256(f'{{"data": {data}, "prev_sha": "{previous_sha}"}}'.encode("ascii")).hexdigest()
    return f'{{"Data": {data}, "Metadata": {metadata.encoded}, "NestedTracedData": {{}}, "SHA": "{sha}"}}', sha
