"""New records straight into bytes, for steps that make them by the hundred thousand and never look at them again."""

import hashlib
from collections.abc import Iterable

from engagement.provenance.traced_data import Metadata


def encode_line(encoded_data: Iterable[str], metadata: Metadata) -> bytes:
    """Encode a new record as a line of a TracedData file, with its line end.

    The data of its updates, oldest first, are JSON with sorted keys already, as `json.dumps` writes it; all are by one step.
    """
    rest = f', "Metadata": {metadata.encoded}, "NestedTracedData": {{}}, "SHA": "'
    line, sha = "", ""
    for data in encoded_data:
        sha = hashlib.sha256(f'{{"data": {data}, "prev_sha": "{sha}"}}'.encode("ascii")).hexdigest()
        line = f'{{"Data": {data}{rest}{sha}"}}{", " if line else ""}{line}'
    return f"[{line}]\n".encode("ascii")
