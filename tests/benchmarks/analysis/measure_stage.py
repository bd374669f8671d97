"""How long stage 5 takes, and how much memory: PYTHONPATH=src:tests python tests/benchmarks/analysis/measure_stage.py <pipeline-configuration> <data-root>

Run by hand on a data root on which stage 3 has run; works on a copy of what stage 3 left for it. Prints a table of ratios of processor
seconds against a loop of Python's own, which a slow or busy machine changes little. Memory is that of all processes together.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.outputs.measuring import Measured, measure, measure_engagement
from engagement.pipeline.outputs.analysis_files import analysis_folder, season_path

_FLOOR = "sum(number & 7 for number in range(20_000_000))"


class Copy:
    """A data root with State/ alone."""

    def __init__(self, configuration: Path, original: Path, folder: Path) -> None:
        """Copy what the analysis reads."""
        self._configuration, self.path, self._credentials = configuration, folder / "root", folder / "credentials.json"
        for name in ("analysis", "agreement"):
            if (original / "State" / name).is_dir():
                shutil.copytree(original / "State" / name, self.path / "State" / name)
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


def measure_all(copy: Copy) -> Iterator[tuple[str, Measured]]:
    """Measure a first night, a second look at it, and a night with nothing new."""
    yield "from nothing", copy.analyse()
    yield "nothing changed", copy.analyse()
    copy.renew_run()
    yield "a new run of stage 3 with the same results", copy.analyse()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline_configuration", type=Path)
    parser.add_argument("data_root", type=Path)
    args = parser.parse_args()
    floor = measure([sys.executable, "-c", _FLOOR])
    print("| What | Ratio | Seconds | Processor seconds | Peak memory |\n| --- | ---: | ---: | ---: | ---: |")  # noqa: T201
    with tempfile.TemporaryDirectory() as name:
        for what, measured in measure_all(Copy(args.pipeline_configuration, args.data_root, Path(name))):
            ratio = measured.processor_seconds / floor.processor_seconds
            numbers = f"{ratio:.2f} | {measured.seconds:.1f} | {measured.processor_seconds:.1f}"
            print(f"| {what} | {numbers} | {measured.peak_mebibytes:,.0f} MiB |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
