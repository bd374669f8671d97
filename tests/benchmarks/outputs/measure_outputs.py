"""How fast stage 3 is, and how much memory it has: PYTHONPATH=src:tests python tests/benchmarks/outputs/measure_outputs.py

Prints a table of ratios, which a noisy machine changes little: of processor seconds against the floor (see floor.py), and against
those that were recorded last, in recorded.json. Invents its data in a temporary folder, in TMPDIR; a million messages need 15 GB there.
Memory is that of all processes together.
"""

import argparse
import hashlib
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.outputs.floor import measure_floor
from benchmarks.outputs.measuring import Measured, measure, measure_engagement, take_best
from benchmarks.outputs.season import Season, change_one_percent, take_data_set, write_season
from dask_cluster import SOURCE, DaskCluster

_RECORDED = Path(__file__).with_name("recorded.json")
_RUN_SCRIPT = Path(__file__).resolve().parents[3] / "run_scripts" / "3_generate_outputs.sh"
_SIZES = (1_000, 10_000, 100_000, 1_000_000)
# Until here runs take seconds, and the best of some is taken.
_SMALL = 10_000
_TIMES = 5
_HEAVY = 2_000
_TABLE = re.compile(r"(<!-- measurements of stage 3 -->\n).*?(<!-- end of measurements -->)", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """One measurement. The ratio is that of processor seconds, but for rows without one; `note` says what else was seen."""

    what: str
    ratio: float | None
    against: str
    seconds: float
    messages: int | None = None
    peak_mebibytes: float | None = None
    note: str = ""


def generate(season: Season, *options: str) -> Measured:
    """Run stage 3."""
    return measure_engagement("generate-outputs", *season.options(), *options)


def generate_anew(season: Season, *options: str, times: int = 1) -> Measured:
    """Run stage 3 without what earlier runs kept."""
    return take_best(lambda: generate(season, "--full", *options), times)


def count_messages(season: Season) -> int:
    """The rows of messages.csv, without its header."""
    # Records of the traced data are lines, and rows of a CSV need not be.
    with (season.data_root / "Outputs" / "messages_traced_data.jsonl").open("rb") as file:
        return sum(1 for _ in file)


def measure_size(season: Season, what: str, scratch: Path) -> Row:
    """Stage 3 against the floor."""
    measured = generate_anew(season)
    messages = count_messages(season)
    times = _TIMES if messages <= _SMALL else 1
    if times > 1:
        measured = generate_anew(season, times=times)
    floor = take_best(lambda: measure_floor(season.data_root, scratch), times)
    size = sum(
        (season.data_root / "Outputs" / f"{n}_traced_data.jsonl").stat().st_size for n in ("messages", "individuals")
    )
    note = f"{size / messages:,.0f} bytes of traced data a message; the floor takes {floor.seconds:.2f} s"
    ratio = measured.processor_seconds / floor.processor_seconds
    return Row(what, ratio, "the floor", measured.seconds, messages, measured.peak_mebibytes, note)


def measure_heavy(folder: Path) -> Row:
    """One participant with ten times as many messages, a message."""
    processor_seconds = []
    for factor in (0, 1, 10):
        season = write_season(folder / str(factor), 100, _HEAVY * factor)
        measured = generate_anew(season, "--jobs", "1", times=3)
        processor_seconds.append(measured.processor_seconds)
    start, few, many = processor_seconds
    ratio = (many - start) / (few - start) / 10
    what = f"one participant with {10 * _HEAVY:,} messages, a message"
    return Row(what, ratio, f"one with {_HEAVY:,}", measured.seconds, 10 * _HEAVY, measured.peak_mebibytes)


def measure_change(season: Season, what: str) -> Row:
    """A run after one participant in a hundred has changed, against one that does everything anew, with the same outputs."""
    generate(season)
    change_one_percent(season)
    changed = generate(season)
    kept = digest_tables(season)
    anew = generate_anew(season)
    note = "the same bytes" if kept == digest_tables(season) else "OTHER BYTES"
    ratio = changed.processor_seconds / anew.processor_seconds
    return Row(
        f"{what}: 1 % of the participants changed", ratio, "a full run", changed.seconds, count_messages(season),
        changed.peak_mebibytes, note,
    )  # fmt: skip


def measure_cluster(season: Season, what: str, folder: Path) -> Row:
    """Two workers of Dask on this machine against two processes."""
    local = generate_anew(season, "--jobs", "2")
    folder.mkdir()
    cluster = DaskCluster(folder, SOURCE, SOURCE)
    try:
        measured = generate_anew(season, "--scheduler", cluster.address)
    finally:
        cluster.end()
    # The workers' processor seconds are not the stage's own.
    ratio = measured.seconds / local.seconds
    return Row(
        f"{what}: two Dask workers here (seconds)", ratio, "two processes", measured.seconds, count_messages(season)
    )


def measure_start(folder: Path) -> Iterator[Row]:
    """What there is before the first message."""
    season = write_season(folder, 60)
    script = [_RUN_SCRIPT, "benchmark@example.org", season.credentials, season.configuration, season.data_root]
    starts: dict[str, Callable[[], Measured]] = {
        "`python -m engagement --help`": lambda: measure_engagement("--help"),
        "`python -m engagement generate-outputs --help`": lambda: measure_engagement("generate-outputs", "--help"),
        "the run script of stage 3 on 60 messages": lambda: measure(script, PIPELINE_RUNTIME="host"),
    }
    for what, start in starts.items():
        measured = take_best(start, _TIMES)
        yield Row(what, None, "", measured.seconds, note=f"{measured.processor_seconds:.2f} s of the processors")


def digest_tables(season: Season) -> dict[str, str]:
    """Digests of all CSVs and Coda files."""
    outputs = season.data_root / "Outputs"
    return {
        str(path.relative_to(outputs)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in outputs.rglob("*")
        if path.suffix in (".csv", ".json")
    }


def measure_all(sizes: list[int], data_set: Path | None, folder: Path) -> Iterator[Row]:
    """All rows; each one's data are removed after it."""
    if data_set is not None:
        season = take_data_set(folder / "set", data_set)
        yield measure_size(season, data_set.name, folder)
        yield measure_change(season, data_set.name)
        return
    yield from measure_start(folder / "start")
    yield measure_heavy(folder / "heavy")
    middle = max((size for size in sizes if size <= 100_000), default=None)
    for size in sizes:
        season, what = write_season(folder / str(size), size), f"{size:,} messages"
        yield measure_size(season, what, folder)
        if size == middle:
            yield measure_change(season, what)
            yield measure_cluster(season, what, folder / "cluster")
        shutil.rmtree(folder / str(size))


def make_table(rows: list[Row], recorded: dict[str, Row]) -> str:
    """The rows in Markdown."""
    lines = [
        "| What | Ratio | Against | Recorded | Seconds | Messages a second | Peak memory | |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        before = recorded.get(row.what)
        cells = (
            row.what,
            _number(row.ratio),
            row.against,
            _number(before.ratio) if before else "",
            f"{row.seconds:.2f}",
            f"{row.messages / row.seconds:,.0f}" if row.messages else "",
            f"{row.peak_mebibytes:,.0f} MiB" if row.peak_mebibytes else "",
            row.note,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _number(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def read_recorded() -> dict[str, Row]:
    """The rows that were recorded last, by what they are about."""
    documents = json.loads(_RECORDED.read_text()) if _RECORDED.exists() else []
    return {document["what"]: Row(**document) for document in documents}


def main() -> None:
    """Measure, print, and renew what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int, default=list(_SIZES), help="numbers of messages")
    parser.add_argument("--dataset", type=Path, help="measure on this data set instead: its Raw Data/, Coded Coda Files/ and configuration")  # fmt: skip
    parser.add_argument("--record", action="store_true", help="keep the measurements in recorded.json")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="renew the table between the marks in this page")
    args = parser.parse_args()
    recorded = read_recorded()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in measure_all(args.sizes, args.dataset, Path(folder)):
            rows.append(row)
            print(make_table([row], recorded).splitlines()[-1], file=sys.stderr, flush=True)
    table = make_table(rows, recorded)
    print(table)
    if args.record:
        kept = {**recorded, **{row.what: row for row in rows}}
        _RECORDED.write_text(json.dumps([asdict(row) for row in kept.values()], indent=2) + "\n")
    if args.write is not None:
        page, found = _TABLE.subn(lambda place: place[1] + table + place[2], args.write.read_text())
        if found != 1:
            raise SystemExit(f"{args.write}: {found} places for the measurements of stage 3; expected one")
        args.write.write_text(page)


if __name__ == "__main__":
    main()
