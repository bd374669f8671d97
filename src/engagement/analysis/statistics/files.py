"""Write the statistics of a season as CSV files: a row a fact, figures as Python writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engagement.analysis.statistics.shares import ShareRow
from engagement.analysis.statistics.statistics import Statistics
from engagement.foundation.files import make_directory, write_csv

STATISTICS = "statistics"


def write_statistics(statistics: Statistics, folder: Path) -> int:
    """Write each table into the folder statistics/ of the analysis, and return their number."""
    tables: dict[str, tuple[Sequence[str], Sequence[Sequence[Any]]]] = {
        "shares": (ShareRow._fields, statistics.shares),
    }
    target = make_directory(folder / STATISTICS)
    for name, (columns, rows) in tables.items():
        write_csv(target / f"{name}.csv", columns, rows)
    return len(tables)
