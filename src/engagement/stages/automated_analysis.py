"""Make tables, graphs, maps and the report from stage 3's results."""

import argparse
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from engagement.analysis.charts.charts import draw_charts
from engagement.analysis.maps.maps import draw_maps
from engagement.analysis.report.last_run import FIGURES
from engagement.analysis.report.report import write_report
from engagement.analysis.statistics.files import write_statistics
from engagement.analysis.statistics.statistics import Statistics
from engagement.analysis.tables.files import write_tables
from engagement.analysis.tables.season import load_season
from engagement.configuration import load_project
from engagement.delivery.drive import upload_analysis
from engagement.foundation.files import (
    copy_tree,
    explain_os_errors,
    make_directory,
    read_json,
    replace_folder,
    write_json,
)
from engagement.foundation.partitions import count_processors, parse_count
from engagement.foundation.run_report import record_counts
from engagement.pipeline.outputs.folder import AUTOMATED_ANALYSIS
from engagement.pipeline.outputs.workbooks import ANALYSIS_WORKBOOK, update_analysis_workbook
from engagement.services.credentials import load_credentials

log = logging.getLogger(__name__)

# Names the run of stage 3 that the folder's contents were made from.
_MADE_FROM = "made_from.json"
_GRAPHS, _MAPS = "graphs", "maps"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    parser.add_argument("--user", required=True, help="who runs this")
    parser.add_argument("--credentials", type=Path, required=True, help="credentials file (JSON)")
    parser.add_argument("--pipeline-configuration", type=Path, required=True, help="pipeline configuration (JSON)")
    parser.add_argument("--data-root", type=Path, required=True, help="directory that holds all the pipeline's data")
    parser.add_argument(
        "--jobs", type=parse_count, default=count_processors(), help="charts drawn at a time; one a processor"
    )
    parser.add_argument("--graphs-only", action="store_true", help="draw the graphs again and leave everything else")
    parser.add_argument("--upload-only", action="store_true", help="only upload to Drive what the last run wrote")


def run(args: argparse.Namespace) -> None:
    """Load, analyse, save."""
    credentials = load_credentials(args.credentials)
    project = load_project(args.pipeline_configuration)
    if args.upload_only:
        upload_analysis(project, args.data_root, credentials)
        return
    season = load_season(project, args.data_root)
    log.info("Analysing %d message(s) of %d participant(s)", len(season.messages), len(season.individuals))
    current = args.data_root / "Outputs" / AUTOMATED_ANALYSIS
    # Pictures whose numbers did not change are kept.
    with replace_analysis(current, keep_everything=args.graphs_only) as folder:
        charts = draw_charts(season, make_directory(folder / _GRAPHS), args.jobs)
        log.info("Drew %d chart(s)", len(charts))
        made = {"graphs": asdict(season.source)}
        if not args.graphs_only:
            log.info("Wrote %d table(s)", write_tables(season, folder))
            log.info("Wrote %d table(s) of statistics", write_statistics(Statistics(season, args.data_root), folder))
            maps = draw_maps(season, make_directory(folder / _MAPS))
            log.info("Drew %d map(s)", len(maps))
            write_report(season, charts, maps, folder / "report.html", current / FIGURES)
            if update_analysis_workbook(folder, current):
                log.info("Wrote %s", ANALYSIS_WORKBOOK)
            made["everything else"] = asdict(season.source)
        note_source(folder / _MADE_FROM, made)
    log.info("Wrote Outputs/%s/", AUTOMATED_ANALYSIS)
    record_counts({"messages": len(season.messages), "participants": len(season.individuals), "charts": len(charts)})
    upload_analysis(project, args.data_root, credentials)


def note_source(path: Path, made: dict[str, dict[str, str]]) -> None:
    """Note the run of stage 3 behind the graphs, or the rest; entries not in `made` stay as they were."""
    known = read_json(path) if path.exists() else {}
    write_json(path, {**known, **made})


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
