"""How long the tables of a season take, and how much memory, beside everything that stage 5 writes.

Run by hand on a data root on which stage 3 has run:
PYTHONPATH=src python tests/benchmarks/analysis/measure_analysis.py <pipeline-configuration> <data-root> [--tables-only]
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engagement.analysis.tables.files import write_tables
from engagement.analysis.tables.season import load_season
from engagement.configuration import load_project
from engagement.foundation.partitions import count_processors


@contextmanager
def measure(what: str) -> Iterator[None]:
    """Print how long a step took, and the most memory that the process, or one of its children, had until its end."""
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    kibibytes = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"{what:<8} {seconds:7.1f} s   peak {kibibytes / 1024:6.0f} MiB")  # noqa: T201


def main() -> None:
    """Measure each step on the data root that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline_configuration", type=Path)
    parser.add_argument("data_root", type=Path)
    parser.add_argument("--tables-only", action="store_true", help="leave out the charts, the maps and the report")
    args = parser.parse_args()
    with measure("load"):
        season = load_season(load_project(args.pipeline_configuration), args.data_root)
    print(f"{len(season.messages)} messages of {len(season.individuals)} participants")  # noqa: T201
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with measure("tables"):
            write_tables(season, folder)
        if args.tables_only:
            return
        from engagement.analysis.charts.charts import draw_charts
        from engagement.analysis.maps.maps import draw_maps
        from engagement.analysis.report.report import write_report

        for part in ("graphs", "maps"):
            (folder / part).mkdir()
        with measure("charts"):
            charts = draw_charts(season, folder / "graphs", count_processors())
        with measure("maps"):
            maps = draw_maps(season, folder / "maps")
        with measure("report"):
            write_report(season, charts, maps, folder / "report.html")


if __name__ == "__main__":
    main()
