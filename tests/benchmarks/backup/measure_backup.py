"""How fast stage 6 is: PYTHONPATH=src:tests python tests/benchmarks/backup/measure_backup.py [--messages N]

Makes a season's data root with stage 3, in a temporary folder, and archives it night after night. The ratios are of processor
seconds, which a noisy machine changes little.
"""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.outputs.measuring import Measured, measure_engagement
from benchmarks.outputs.season import Season, change_one_percent, write_season

_MEGABYTE = 10**6
# A file that changed within a tick of the clock is read again.
_TICK_SECONDS = 2.5


class Nights:
    """Archives a data root, each time under another name."""

    def __init__(self, data_root: Path, backups: Path):
        self._data_root = data_root
        self._backups = backups
        self._count = 0
        self._start = measure_engagement("backup-data-root", "--help")

    def archive(self, *options: str) -> Measured:
        """Run stage 6; the start of Python is not counted among the processor seconds."""
        time.sleep(_TICK_SECONDS)
        self._count += 1
        run_id = f"2026-11-22T0205{self._count:02}Z-unknown"
        measured = measure_engagement(
            "backup-data-root",
            *("--data-root", str(self._data_root), "--backups-dir", str(self._backups), "--run-id", run_id, *options),
        )
        return Measured(
            measured.seconds, measured.processor_seconds - self._start.processor_seconds, measured.peak_mebibytes
        )

    def newest_bytes(self) -> int:
        """Size of the newest archive."""
        return max(self._backups.glob("data-*")).stat().st_size

    def notes_bytes(self) -> int:
        """Size of the list of what may be copied, and of the other notes."""
        return bytes_of(self._backups / ".members")


def bytes_of(data_root: Path) -> int:
    """Size of all files."""
    return sum(path.stat().st_size for path in data_root.rglob("*") if path.is_file())


def add_one_percent(data_root: Path) -> None:
    """Add files that have a hundredth of the data root's bytes: the beginning of its largest file."""
    largest = max((path for path in data_root.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    with largest.open("rb") as file:
        (data_root / "State" / "new.jsonl").write_bytes(file.read(bytes_of(data_root) // 100))


def generate(season: Season) -> None:
    """Run stage 3."""
    measure_engagement("generate-outputs", *season.options())


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=40_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        season = write_season(Path(folder) / "season", args.messages)
        generate(season)
        nights = Nights(season.data_root, Path(folder) / "back ups")
        nights.archive("--full")
        full = nights.archive("--full")
        size = bytes_of(season.data_root)
        print(
            f"{size / _MEGABYTE:,.0f} MB, archived in {nights.newest_bytes() / _MEGABYTE:,.1f} MB, with notes of "
            f"{nights.notes_bytes() / _MEGABYTE:,.2f} MB; "
            f"in full {full.seconds:.2f} s: {size / full.seconds / _MEGABYTE:,.0f} MB/s, "
            f"{full.processor_seconds:.2f} s of the processors: {size / full.processor_seconds / _MEGABYTE:,.0f} MB a second of one, "
            f"{full.peak_mebibytes:.0f} MiB"
        )
        print("| Night | Processor seconds | Against a full one | Seconds | MiB |\n| --- | ---: | ---: | ---: | ---: |")
        print_night("nothing new", nights.archive(), full)
        add_one_percent(season.data_root)
        print_night("1 % of the bytes new", nights.archive(), full)
        change_one_percent(season)
        generate(season)
        print_night("1 % of the participants wrote, stage 3 ran", nights.archive(), full)


def print_night(what: str, measured: Measured, full: Measured) -> None:
    """Print a row."""
    ratio = max(0.0, measured.processor_seconds) / full.processor_seconds
    print(
        f"| {what} | {measured.processor_seconds:.2f} | {ratio:.3f} | {measured.seconds:.2f} | {measured.peak_mebibytes:.0f} |"
    )


if __name__ == "__main__":
    main()
