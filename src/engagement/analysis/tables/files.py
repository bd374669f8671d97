"""Writing a season's tables as CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engagement.analysis.tables.season import Season
from engagement.foundation.csv_cells import guard_cell
from engagement.foundation.files import write_csv

if TYPE_CHECKING:
    import pandas


def write_tables(season: Season, folder: Path) -> int:
    """Write every table into a folder, and return their number; makes texts safe for spreadsheets."""
    tables = {
        "engagement_counts": season.engagement_counts,
        "demographic_distributions": season.demographic_distributions,
        "theme_distributions": season.theme_distributions,
        "repeat_participations": season.repeat_participations,
        "share_intervals": season.share_intervals,
        "value_origins": season.value_origins,
        "traffic_analysis": season.traffic,
        "traffic_per_week": season.weekly_traffic,
        "sample_messages": _guard(season.sample_messages),
        "impact_messages": _guard(season.impact_messages),
        "coding_progress": season.coding_progress,
        "coding_errors": season.coding_errors,
        "texts_with_phone_numbers": season.texts_with_phone_numbers,
    }
    for name, table in tables.items():
        write_csv(folder / f"{name}.csv", list(table.columns), table.itertuples(index=False, name=None))
    return len(tables)


def _guard(table: pandas.DataFrame) -> pandas.DataFrame:
    return table.assign(Message=[guard_cell(text) for text in table["Message"]])
