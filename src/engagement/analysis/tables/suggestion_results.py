"""Suggestions of a season, in numbers: suggestions.csv, where a plan asks for suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engagement.foundation.files import write_csv
from engagement.labelling.suggestions.results import HEADER, SuggestionResult, read_results

if TYPE_CHECKING:
    from engagement.analysis.tables.season import Season

SUGGESTIONS = "suggestions.csv"


def read_season_results(season: Season, outputs: Path) -> list[SuggestionResult]:
    """Read what stage 3 noted in Outputs/, in the order of the plans."""
    plans = season.project.coding_plans.all
    return read_results(outputs, (str(plan.coda_dataset) for plan in plans if plan.coda_filename is not None))


def write_suggestion_results(results: Sequence[SuggestionResult], folder: Path) -> None:
    """Write suggestions.csv into a folder, if there is anything to tell."""
    if results:
        write_csv(folder / SUGGESTIONS, HEADER, (result.cells() for result in results))
