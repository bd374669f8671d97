"""Make print-ready figures of the charts and maps, as SVG or PDF, each with its data beside it.

Text in them is text, and PDFs hold their fonts. They are drawn from what the last run of stage 3 left, with the configuration that it
ran with; no other file changes.
"""

import argparse
import logging
from pathlib import Path

from engagement.analysis.figures.figures import GRAPHS, MAPS, choose_figures, describe_figures, draw_figures
from engagement.analysis.tables.season import load_season
from engagement.configuration import Project, load_project
from engagement.configuration.kept_project import find_kept_configuration
from engagement.foundation.errors import UsageError, count_of
from engagement.foundation.partitions import count_processors, parse_count
from engagement.pipeline.outputs.analysis_files import read_season

log = logging.getLogger(__name__)

FOLDER = "Figures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("data_root", type=Path, metavar="data-root", help="directory that holds the pipeline's data")
    parser.add_argument("--format", choices=("svg", "pdf"), required=True, help="kind of file")
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="NAME",
        help="figures by the names of their files, such as themes_s01e01 or maps/region/total, or with *; all if not given",
    )
    parser.add_argument(
        "--folder", type=Path, metavar="FOLDER", help=f"where to write them; {FOLDER}/ in the data root if not given"
    )
    parser.add_argument(
        "--pipeline-configuration",
        type=Path,
        metavar="FILE",
        help="pipeline configuration (JSON); by default the one that stage 3 ran with, which lacks boundaries of your own",
    )
    parser.add_argument(
        "--jobs", type=parse_count, default=count_processors(), help="figures drawn at a time; one a processor"
    )


def run(arguments: argparse.Namespace) -> None:
    """Load the season, choose, draw."""
    root = arguments.data_root
    if not root.is_dir():
        raise UsageError(f"{root}: no such directory; expected the data root. Check the path.")
    # First what is missing most often.
    read_season(root)
    path = arguments.pipeline_configuration
    project = load_project(path or find_kept_configuration(root))
    with_maps = not arguments.only or not all(name.startswith(f"{GRAPHS}/") for name in arguments.only)
    if with_maps and path is None:
        _expect_boundaries(project)
    figures = choose_figures(describe_figures(load_season(project, root), with_maps), arguments.only)
    folder = arguments.folder or root / FOLDER
    draw_figures(folder, figures, arguments.format, arguments.jobs)
    log.info("Wrote %s, with their data, to %s", count_of(len(figures), "figure"), folder)


def _expect_boundaries(project: Project) -> None:
    """Refuse maps whose boundaries are beside the configuration itself, which the copy of stage 3 lacks."""
    settings = project.configuration.automated_analysis
    lacking = [
        one.boundaries
        for one in (settings.maps if settings else ())
        if one.boundaries is not None and not (project.path.parent / one.boundaries).exists()
    ]
    if lacking:
        raise UsageError(
            f"{MAPS}/: drawn with boundaries of your own, {', '.join(map(repr, lacking))}; expected --pipeline-configuration, to find "
            f"them beside it. Give it, or only charts, with --only '{GRAPHS}/*'."
        )
