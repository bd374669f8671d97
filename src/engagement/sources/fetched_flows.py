"""Flows whose runs have arrived. They are written once all sources have succeeded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engagement.foundation.errors import InputError, ServiceError, count_of, listing
from engagement.foundation.files import count_line_ends
from engagement.sources.manifest import RawDataWriter

_LEAST_SHARE = 0.9
# Of few submissions one is more than 10 %, and people delete what they tried out.
_FEW, _MOST_GONE_OF_FEW = 30, 3


@dataclass(frozen=True)
class FetchedFlow:
    """A flow that arrived. `runs_before` counts its file's runs; `write` replaces the file if it differs.

    `is_edited`: people delete runs of it one by one, as they do with submissions of forms.
    """

    name: str
    file: Path
    runs: int
    runs_before: int
    write: Callable[[RawDataWriter], None]
    is_edited: bool = False


def is_shrunk(now: int, before: int, is_edited: bool = False) -> bool:
    """Tell whether far fewer came than before: less than 90 %, or none at all.

    Of fewer than 30 that people edit, up to three may be gone.

    >>> is_shrunk(8, 9), is_shrunk(8, 9, is_edited=True), is_shrunk(0, 1, is_edited=True), is_shrunk(26, 30, is_edited=True)
    (True, False, True, True)
    """
    if is_edited and now > 0 and before < _FEW and before - now <= _MOST_GONE_OF_FEW:
        return False
    return now < _LEAST_SHARE * before


def refuse_shrinkage(flows: Sequence[FetchedFlow]) -> None:
    """Refuse to write anything when a flow came back with far fewer runs than its file holds.

    Raises
    ------
    ServiceError
        Names each flow that is shrunk.
    """
    shrunk = [
        f"{flow.name}: {count_of(flow.runs, 'run')}, {flow.runs_before:,} before"
        for flow in flows
        if is_shrunk(flow.runs, flow.runs_before, flow.is_edited)
    ]
    if shrunk:
        raise ServiceError(
            f"Raw Data: far fewer runs came than before; expected at least 90 %. {listing(shrunk)}\n"
            "Nothing was replaced. Check the sources; --accept-shrinkage takes the shorter files."
        )


def count_lines(path: Path) -> int:
    """Count the lines of a file; 0 if there is none."""
    try:
        with path.open("rb") as file:
            return sum(count_line_ends(chunk) for chunk in iter(lambda: file.read(1 << 20), b""))
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise InputError(
            f"{path}: could not be read: {error.strerror}; expected a raw data file. Check the file."
        ) from None
