"""How fast stage 6 is: PYTHONPATH=src:tests python tests/benchmarks/backup/measure_backup.py [--messages N]

Makes a season's data root with stage 3, in a temporary folder, and archives it night after night. The ratios are of processor
seconds, which a noisy machine changes less. A night after stage 3 is compared with a full archive right after stage 3.
"""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.outputs.measuring import Measured, measure_engagement, take_best
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
        self.start = measure_engagement("backup-data-root", "--help")

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
            measured.seconds, measured.processor_seconds - self.start.processor_seconds, measured.peak_mebibytes
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
    parser.add_argument("--rounds", type=int, default=2, help="nights of each kind after stage 3; the best counts")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        season = write_season(Path(folder) / "season", args.messages)
        generate(season)
        nights = Nights(season.data_root, Path(folder) / "back ups")
        nights.archive("--full")
        warm = take_best(lambda: nights.archive("--full"), args.rounds)
        size = bytes_of(season.data_root)
        print(
            f"{size / _MEGABYTE:,.0f} MB, archived in {nights.newest_bytes() / _MEGABYTE:,.1f} MB, with notes of "
            f"{nights.notes_bytes() / _MEGABYTE:,.2f} MB. The start of Python takes {nights.start.processor_seconds:.2f} s of the "
            f"processors, which are not in the table, and {nights.start.seconds:.2f} s by the clock, which are"
        )
        print(
            "| Night | Processor seconds | Against a full one | Seconds | MB/s | MB a processor second | MiB |\n"
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
        )
        print_night("in full, files read before", warm, warm, size)
        print_night("nothing new", nights.archive(), warm, size)
        add_one_percent(season.data_root)
        print_night("1 % of the bytes new", nights.archive(), warm, size)
        fresh = take_best(lambda: _after_stage_3(season, nights, "--full"), args.rounds)
        size = bytes_of(season.data_root)
        print_night("in full, stage 3 ran", fresh, fresh, size)
        night = take_best(lambda: _after_stage_3(season, nights), args.rounds)
        print_night("1 % of the participants wrote, stage 3 ran", night, fresh, size)


def _after_stage_3(season: Season, nights: Nights, *options: str) -> Measured:
    """Archive what stage 3 has just written: whoever reads that first takes up to twice the system time of later ones."""
    change_one_percent(season)
    generate(season)
    return nights.archive(*options)


def print_night(what: str, measured: Measured, full: Measured, size: int) -> None:
    """Print a row."""
    processor = max(0.01, measured.processor_seconds)
    print(
        f"| {what} | {processor:.2f} | {processor / full.processor_seconds:.3f} | {measured.seconds:.2f} | "
        f"{size / measured.seconds / _MEGABYTE:,.0f} | {size / processor / _MEGABYTE:,.0f} | {measured.peak_mebibytes:.0f} |"
    )


if __name__ == "__main__":
    main()
