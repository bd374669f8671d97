"""Make a season's graphs, tables, maps and report into the folder of the analysis."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from engagement.analysis.charts.charts import begin_charts
from engagement.analysis.maps.maps import begin_maps
from engagement.analysis.pictures.drawers import Drawers
from engagement.analysis.report.last_run import FIGURES
from engagement.analysis.report.report import write_report
from engagement.analysis.reuse.inputs import InputDigests
from engagement.analysis.reuse.kept_files import keep_tables, note_files
from engagement.analysis.statistics.files import write_statistics
from engagement.analysis.statistics.statistics import Statistics
from engagement.analysis.tables.files import write_tables
from engagement.analysis.tables.label_origins import count_label_origins, write_label_origins
from engagement.analysis.tables.season import Season, load_season
from engagement.analysis.tables.suggestion_results import read_season_results, write_suggestion_results
from engagement.configuration import Project
from engagement.foundation.errors import InputError
from engagement.foundation.files import copy_tree, explain_os_errors, make_directory, read_json, write_json
from engagement.foundation.replaced_folders import replace_folder
from engagement.pipeline.outputs.places import current_outputs
from engagement.pipeline.outputs.workbooks import ANALYSIS_WORKBOOK, update_analysis_workbook

log = logging.getLogger(__name__)

# Names the run of stage 3 that the folder's contents were made from.
_MADE_FROM = "made_from.json"
_GRAPHS, _MAPS = "graphs", "maps"
_MOST_MESSAGES_WHILE_DRAWING = 300_000


def analyse(
    project: Project, data_root: Path, current: Path, inputs: InputDigests, jobs: int, is_graphs_only: bool
) -> dict[str, int]:
    """Replace the analysis in `current`, or its graphs alone; return the counts to report.

    Keeps what would come out the same: pictures whose numbers did not change, and tables made from the same inputs.
    """
    season = load_season(project, data_root)
    log.info("Analysing %d message(s) of %d participant(s)", len(season.messages), len(season.individuals))
    with replace_analysis(current, keep_everything=is_graphs_only) as folder:
        with Drawers(jobs) as drawers:
            charts = begin_charts(season, make_directory(folder / _GRAPHS), drawers)
            counts = {"messages": len(season.messages), "participants": len(season.individuals), "charts": len(charts)}
            made = {_GRAPHS: asdict(season.source)}
            if not is_graphs_only:
                maps = begin_maps(season, make_directory(folder / _MAPS), drawers)
                # Other processes draw meanwhile, unless the tables need the memory that those hold.
                if len(season.messages) > _MOST_MESSAGES_WHILE_DRAWING:
                    drawers.wait()
                write_all_tables(season, data_root, folder, current, inputs)
                write_report(season, charts, maps, folder / "report.html", current / FIGURES)
                if update_analysis_workbook(folder, current):
                    log.info("Wrote %s", ANALYSIS_WORKBOOK)
                made["everything else"] = asdict(season.source)
        note_source(folder / _MADE_FROM, made)
        if not is_graphs_only:
            note_files(folder, inputs, counts)
    return counts


def write_all_tables(season: Season, data_root: Path, folder: Path, current: Path, inputs: InputDigests) -> None:
    """Write the season's tables and statistics, or keep those of the last run if they would be the same."""
    kept = keep_tables(current, folder, inputs)
    if kept:
        log.info("Kept %d file(s) of tables: what they are made from did not change", kept)
        return
    log.info("Wrote %d table(s)", write_tables(season, folder))
    log.info("Wrote %d table(s) of statistics", write_statistics(Statistics(season, data_root), folder))
    write_label_origins(count_label_origins(season, data_root), folder)
    write_suggestion_results(read_season_results(season, current_outputs(data_root)), folder)


def note_source(path: Path, made: dict[str, dict[str, str]]) -> None:
    """Note the run of stage 3 behind the graphs, or the rest; entries not in `made` stay as they were."""
    try:
        known = read_json(path) if path.exists() else {}
    except InputError:
        known = {}
    write_json(path, {**(known if isinstance(known, dict) else {}), **made})


@contextmanager
def replace_analysis(current: Path, keep_everything: bool) -> Iterator[Path]:
    """Copy the old folder's pictures, or all of it; the copy replaces the old one if the block succeeds."""
    with replace_folder(current) as building:
        for kept in sorted(current.iterdir()) if current.is_dir() else ():
            # Copies and not links: writing in place must not change the old folder.
            if kept.is_dir() and (keep_everything or kept.name in (_GRAPHS, _MAPS)):
                copy_tree(kept, building / kept.name)
            elif keep_everything:
                with explain_os_errors(building / kept.name):
                    shutil.copy2(kept, building)
        yield building
