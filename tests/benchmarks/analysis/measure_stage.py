"""How long stage 5 takes, and how much memory: PYTHONPATH=src:tests python tests/benchmarks/analysis/measure_stage.py [messages ...]

Invents a season of each size and runs stage 3 on it, or takes a data root on which stage 3 has run; works on a copy of what
stage 5 reads. Prints a table of ratios of processor seconds against a loop of Python's own, which a slow or busy machine
changes little. Memory is that of all processes together.
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.outputs.measuring import Measured, measure, measure_engagement, take_best
from benchmarks.outputs.season import write_season
from engagement.pipeline.outputs.analysis_files import analysis_folder, season_path

_FLOOR = "sum(number & 7 for number in range(20_000_000))"
_SIZES = (100_000,)
_TABLE = re.compile(r"(<!-- measurements of stage 5 -->\n).*?(<!-- end of measurements -->)", re.DOTALL)
_HEADER = ("| What | Ratio | Against | Peak memory |", "| --- | ---: | --- | ---: |")


class Copy:
    """A data root with what stage 5 reads, and nothing of an earlier analysis."""

    def __init__(self, configuration: Path, original: Path, folder: Path) -> None:
        """Copy what the analysis reads."""
        self._configuration, self.path, self._credentials = configuration, folder / "root", folder / "credentials.json"
        for name in ("State/analysis", "State/agreement", "Coded Coda Files"):
            if (original / name).is_dir():
                shutil.copytree(original / name, self.path / name)
        (self.path / "Outputs").mkdir()
        self._credentials.write_text(json.dumps({"type": "embedded", "directory": "embedded"}))

    def analyse(self) -> Measured:
        """Run stage 5."""
        return measure_engagement(
            "automated-analysis", "--user", "benchmark@example.org", "--credentials", str(self._credentials),
            "--pipeline-configuration", str(self._configuration), "--data-root", str(self.path),
        )  # fmt: skip

    def renew_run(self) -> None:
        """Let stage 3 have run again, with the same results."""
        path = season_path(analysis_folder(self.path))
        document = json.loads(path.read_text())
        document["run"]["timestamp"] = datetime.now(UTC).isoformat(timespec="microseconds")
        path.write_text(json.dumps(document))


def measure_nights(copy: Copy) -> Iterator[tuple[str, Measured]]:
    """Measure a first night, a second look at it, and a night with nothing new."""
    yield "from nothing", copy.analyse()
    yield "nothing changed", copy.analyse()
    copy.renew_run()
    yield "a new run of stage 3 with the same results", copy.analyse()


def find_data(args: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Path, Path]]:
    """Name each data root to measure, with its configuration; invented ones are removed after use."""
    if args.data_root is not None:
        yield args.data_root.name, args.pipeline_configuration, args.data_root
        return
    for size in args.sizes:
        season = write_season(folder / str(size), size)
        measure_engagement("generate-outputs", *season.options())
        yield f"{size:,} messages", season.configuration, season.data_root
        shutil.rmtree(folder / str(size))


def measure_all(args: argparse.Namespace, folder: Path) -> Iterator[str]:
    """Measure every data root; each row in Markdown as soon as it is known."""
    floor = take_best(lambda: measure([sys.executable, "-c", _FLOOR]), 3)
    for name, configuration, data_root in find_data(args, folder):
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            for what, measured in measure_nights(Copy(configuration, data_root, Path(scratch))):
                ratio = measured.processor_seconds / floor.processor_seconds
                cells = f"{name}: {what}", f"{ratio:.2f}", "the loop"
                yield f"| {' | '.join(cells)} | {measured.peak_mebibytes:,.0f} MiB |"


def write_table(page: Path, rows: list[str]) -> None:
    """Renew the table between the marks in a page."""
    table = "\n".join([*_HEADER, *rows]) + "\n"
    text, found = _TABLE.subn(lambda place: place[1] + table + place[2], page.read_text())
    if found != 1:
        raise SystemExit(f"{page}: {found} places for the measurements of stage 5; expected one")
    page.write_text(text)


def main() -> None:
    """Print the table, and renew it where that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int, default=list(_SIZES), help="numbers of messages to invent")
    parser.add_argument("--pipeline-configuration", type=Path, help="with --data-root: its configuration")
    parser.add_argument("--data-root", type=Path, help="measure on this data root instead, on which stage 3 has run")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="renew the table between the marks in this page")
    args = parser.parse_args()
    if (args.data_root is None) != (args.pipeline_configuration is None):
        parser.error("--data-root and --pipeline-configuration go together")
    print(*_HEADER, sep="\n", flush=True)  # noqa: T201
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in measure_all(args, Path(folder)):
            rows.append(row)
            print(row, flush=True)  # noqa: T201
    if args.write is not None:
        write_table(args.write, rows)


if __name__ == "__main__":
    main()
