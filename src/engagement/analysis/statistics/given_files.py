"""Reading the files that AutomatedAnalysis.Statistics names: broadcasts, and a population's margins."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from engagement.configuration.iso_times import read_iso_time
from engagement.configuration.nearest import nearest
from engagement.foundation.csv_cells import read_lines
from engagement.foundation.errors import ConfigurationError, listing

_CALENDAR = ("Start", "Kind", "Episode", "Station")
_MARGINS = ("variable", "value", "share")
# Shares are often rounded to two decimals.
_ROUNDING = 0.02


class BroadcastEvent(NamedTuple):
    """A broadcast, a repeat, an advert: `episode` and `station` may be empty."""

    start: datetime
    kind: str
    episode: str
    station: str


def read_calendar(path: Path) -> tuple[BroadcastEvent, ...]:
    """Read the broadcasts of a season, in the order of the file.

    Raises
    ------
    ConfigurationError
        With every problem of the file.
    """
    events, problems = [], []
    for number, cells in _read_rows(path, _CALENDAR):
        try:
            start = read_iso_time(cells["Start"])
        except ValueError:
            problems.append(
                f"line {number}: Start is {cells['Start']!r}; expected ISO 8601 with an offset, like 2026-03-01T19:30:00+03:00."
            )
            continue
        if not cells["Kind"]:
            problems.append(f"line {number}: no Kind; expected what it was, like 'broadcast' or 'advert'.")
        events.append(BroadcastEvent(start, cells["Kind"], cells["Episode"], cells["Station"]))
    _refuse(path, problems)
    return tuple(events)


def read_margins(path: Path, values: Mapping[str, Sequence[str] | None]) -> dict[str, dict[str, float]]:
    """Read a population's shares: variable -> value -> share.

    `values` are those of each demographic; None of one that may have any.

    Raises
    ------
    ConfigurationError
        With every problem of the file.
    """
    margins: dict[str, dict[str, float]] = {}
    problems = []
    for number, cells in _read_rows(path, _MARGINS):
        variable, value = cells["variable"], cells["value"]
        if variable not in values:
            problems.append(
                f"line {number}: no demographic has the AnalysisFileKey {variable!r}{nearest(variable, values)}"
            )
        elif (known := values[variable]) is not None and value not in known:
            problems.append(f"line {number}: {variable!r} has no value {value!r}{nearest(value, known)}")
        elif value in margins.get(variable, {}):
            problems.append(f"line {number}: {value!r} of {variable!r} is there twice; expected one share. Remove one.")
        else:
            share = _read_share(cells["share"])
            if share is None:
                problems.append(f"line {number}: share is {cells['share']!r}; expected a number above 0, up to 1.")
            margins.setdefault(variable, {})[value] = share or 0.0
    if not problems:
        problems += [
            f"the shares of {variable!r} add up to {sum(shares.values()):.4g}; expected 1."
            for variable, shares in margins.items()
            if abs(sum(shares.values()) - 1) > _ROUNDING
        ]
    if not margins and not problems:
        problems.append("no rows; expected the shares of at least one demographic.")
    _refuse(path, problems)
    return margins


def _read_share(text: str) -> float | None:
    try:
        share = float(text)
    except ValueError:
        return None
    return share if 0 < share <= 1 else None


def _read_rows(path: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Read the rows of a table that somebody wrote, with their line numbers, without spaces around cells."""
    expected = f"expected CSV in UTF-8 with the columns {', '.join(columns)}"
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [[cell.strip() for cell in row] for row in read_lines(file)]
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}; {expected}. Mend the path.") from None
    except (csv.Error, UnicodeDecodeError):
        raise ConfigurationError(f"{path}: not a table; {expected}. Save it as CSV again.") from None
    header = rows[0] if rows else []
    missing = [column for column in columns if header.count(column) != 1]
    if missing:
        raise ConfigurationError(f"{path}: no column {', '.join(map(repr, missing))}; {expected}. Name the columns.")
    filled = [(number, row) for number, row in enumerate(rows[1:], 2) if any(row)]
    return [(number, dict(zip(header, [*row, *[""] * len(header)], strict=False))) for number, row in filled]


def _refuse(path: Path, problems: Sequence[str]) -> None:
    if problems:
        raise ConfigurationError(f"{path}: {listing(problems)}")
