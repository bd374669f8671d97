"""Lists of rows that can't be read, for people; too many of them stop a fetch."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from engagement.foundation.errors import ServiceError
from engagement.foundation.files import explain_os_errors, open_bytes_for_writing

_LARGEST_SHARE = 0.01


def write_set_aside(file: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write the list, one JSON object a line, if it differs; no rows, no file."""
    content = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    with explain_os_errors(file):
        if not content:
            file.unlink(missing_ok=True)
        elif not file.exists() or file.read_bytes() != content:
            with open_bytes_for_writing(file) as opened:
                opened.write(content)


def refuse_set_aside(count: int, of: int, where: str, file: Path, remedy: str, rows: str = "rows") -> None:
    """Refuse to go on if `count` is a large share of all rows; `rows` says which these are.

    Raises
    ------
    ServiceError
        They are more than 1 %.
    """
    # On a quiet night, one row is more than 1 % and proves nothing.
    if count > 1 and count > _LARGEST_SHARE * of:
        raise ServiceError(
            f"{where}: {count} of {of} {rows} can't be read; expected at most 1 %. The warnings above say why, and {file} "
            f"lists them. What came is kept, and nothing was written to Raw Data. {remedy}; with --accept-shrinkage the rest is "
            "written without them."
        )
