"""Write the statistics of a season as CSV and Parquet: a row a fact, figures as Python writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engagement.analysis.statistics.agreement import AgreementRow, AgreementWeekRow
from engagement.analysis.statistics.associations import AssociationTestRow, CrosstabRow
from engagement.analysis.statistics.parquet_files import kinds_of, write_parquet
from engagement.analysis.statistics.participation import RETENTION_COLUMNS, DayRow, EventRow, NewAndReturningRow
from engagement.analysis.statistics.regression import RegressionRow
from engagement.analysis.statistics.shares import ShareRow
from engagement.analysis.statistics.statistics import Statistics
from engagement.analysis.statistics.weighting import WeightedShareRow
from engagement.foundation.files import make_directory, write_csv

STATISTICS = "statistics"
_RETENTION = dict(zip(RETENTION_COLUMNS, (str, str, int, int, float, float, float), strict=True))


def write_statistics(statistics: Statistics, folder: Path) -> int:
    """Write each table into the folder statistics/ of the analysis, and return their number."""
    tables: dict[str, tuple[Mapping[str, type], Sequence[Sequence[Any]]]] = {
        "shares": (kinds_of(ShareRow), statistics.shares),
        "crosstabs": (kinds_of(CrosstabRow), statistics.crosstabs),
        "tests": (kinds_of(AssociationTestRow), statistics.tests),
        "new_and_returning": (kinds_of(NewAndReturningRow), statistics.new_and_returning),
        "retention": (_RETENTION, statistics.retention),
        "traffic_per_day": (kinds_of(DayRow), statistics.traffic_per_day),
    }
    if statistics.settings.broadcast_calendar_file is not None:
        tables["traffic_per_event"] = kinds_of(EventRow), statistics.traffic_per_event
    if statistics.settings.predictors:
        tables["regression"] = kinds_of(RegressionRow), statistics.regressions
    if statistics.settings.population_margins_file is not None:
        tables["weighted_shares"] = kinds_of(WeightedShareRow), statistics.weighted_shares
    if statistics.agreement:
        tables["agreement"] = kinds_of(AgreementRow), statistics.agreement
    if statistics.agreement_by_week:
        tables["agreement_by_week"] = kinds_of(AgreementWeekRow), statistics.agreement_by_week
    target = make_directory(folder / STATISTICS)
    for name, (kinds, rows) in tables.items():
        write_csv(target / f"{name}.csv", list(kinds), (_cells(row) for row in rows))
        write_parquet(target / f"{name}.parquet", kinds, rows)
    return len(tables)


def _cells(row: Sequence[Any]) -> list[Any]:
    """Write an infinite odds ratio as R does."""
    return ["Inf" if cell == math.inf else cell for cell in row]
