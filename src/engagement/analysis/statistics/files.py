"""Write the statistics of a season as CSV files: a row a fact, figures as Python writes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engagement.analysis.statistics.agreement import AgreementRow
from engagement.analysis.statistics.associations import AssociationTestRow, CrosstabRow
from engagement.analysis.statistics.participation import RETENTION_COLUMNS, DayRow, EventRow, NewAndReturningRow
from engagement.analysis.statistics.regression import RegressionRow
from engagement.analysis.statistics.shares import ShareRow
from engagement.analysis.statistics.statistics import Statistics
from engagement.analysis.statistics.weighting import WeightedShareRow
from engagement.foundation.files import make_directory, write_csv

STATISTICS = "statistics"


def write_statistics(statistics: Statistics, folder: Path) -> int:
    """Write each table into the folder statistics/ of the analysis, and return their number."""
    tables: dict[str, tuple[Sequence[str], Sequence[Sequence[Any]]]] = {
        "shares": (ShareRow._fields, statistics.shares),
        "crosstabs": (CrosstabRow._fields, statistics.crosstabs),
        "tests": (AssociationTestRow._fields, statistics.tests),
        "new_and_returning": (NewAndReturningRow._fields, statistics.new_and_returning),
        "retention": (RETENTION_COLUMNS, statistics.retention),
        "traffic_per_day": (DayRow._fields, statistics.traffic_per_day),
    }
    if statistics.settings.broadcast_calendar_file is not None:
        tables["traffic_per_event"] = EventRow._fields, statistics.traffic_per_event
    if statistics.settings.predictors:
        tables["regression"] = RegressionRow._fields, statistics.regressions
    if statistics.settings.population_margins_file is not None:
        tables["weighted_shares"] = WeightedShareRow._fields, statistics.weighted_shares
    if statistics.agreement:
        tables["agreement"] = AgreementRow._fields, statistics.agreement
    target = make_directory(folder / STATISTICS)
    for name, (columns, rows) in tables.items():
        write_csv(target / f"{name}.csv", columns, (_cells(row) for row in rows))
    return len(tables)


def _cells(row: Sequence[Any]) -> list[Any]:
    """Write an infinite odds ratio as R does."""
    return ["Inf" if cell == math.inf else cell for cell in row]
