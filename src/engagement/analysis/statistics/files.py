"""Write the statistics of a season as CSV files: a row a fact, figures as Python writes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engagement.analysis.statistics.associations import AssociationTestRow, CrosstabRow
from engagement.analysis.statistics.shares import ShareRow
from engagement.analysis.statistics.statistics import Statistics
from engagement.foundation.files import make_directory, write_csv

STATISTICS = "statistics"


def write_statistics(statistics: Statistics, folder: Path) -> int:
    """Write each table into the folder statistics/ of the analysis, and return their number."""
    tables: dict[str, tuple[Sequence[str], Sequence[Sequence[Any]]]] = {
        "shares": (ShareRow._fields, statistics.shares),
        "crosstabs": (CrosstabRow._fields, statistics.crosstabs),
        "tests": (AssociationTestRow._fields, statistics.tests),
    }
    target = make_directory(folder / STATISTICS)
    for name, (columns, rows) in tables.items():
        write_csv(target / f"{name}.csv", columns, (_cells(row) for row in rows))
    return len(tables)


def _cells(row: Sequence[Any]) -> list[Any]:
    """Write an infinite odds ratio as R does."""
    return ["Inf" if cell == math.inf else cell for cell in row]
