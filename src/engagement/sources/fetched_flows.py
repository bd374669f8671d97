"""Flows whose runs have arrived. They are written once all sources have succeeded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engagement.foundation.errors import InputError, ServiceError, count_of, listing
from engagement.sources.manifest import RawDataWriter

LEAST_SHARE = 0.9


@dataclass(frozen=True)
class FetchedFlow:
    """A flow that arrived. `runs_before` counts its file's runs; `write` replaces the file if it differs."""

    name: str
    file: Path
    runs: int
    runs_before: int
    write: Callable[[RawDataWriter], None]


def refuse_shrinkage(flows: Sequence[FetchedFlow]) -> None:
    """Refuse to write anything when a flow came back with far fewer runs than its file holds.

    Raises
    ------
    ServiceError
        Names each flow that has less than 90 % of its earlier runs.
    """
    shrunk = [
        f"{flow.name}: {count_of(flow.runs, 'run')}, {flow.runs_before:,} before"
        for flow in flows
        if flow.runs < LEAST_SHARE * flow.runs_before
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
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise InputError(
            f"{path}: could not be read: {error.strerror}; expected a raw data file. Check the file."
        ) from None
