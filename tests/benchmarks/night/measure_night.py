"""How long a night takes, stage by stage: PYTHONPATH=src:tests python tests/benchmarks/night/measure_night.py [MESSAGES …]

Runs the scripts of stages 1 to 7 on this machine, with an invented RapidPro and the embedded Coda, storage and uuid table: a first
night, nights with nothing new, and one on which 1 % of the participants are new. Prints the processor seconds of each stage, the seconds
by the clock and the peak memory, with the exponents of growth between the sizes, and what a message takes on disk. Invents its data
in a temporary folder, in TMPDIR; 100,000 messages need 3 GB there. To compare machines, a night is also told in loops of 30 million
additions, timed just before it; "Recorded" is what that was when it was recorded last, in recorded.json.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bars import calibrate
from benchmarks.night.invented_rapidpro import begin_next_day, serve_rapidpro
from benchmarks.night.tables import (
    NEW_PARTICIPANTS,
    NIGHTS,
    Disk,
    Night,
    make_tables,
    read_recorded,
    record,
    write_tables,
)
from benchmarks.outputs.measuring import Measured, measure
from benchmarks.outputs.season import SeasonMaker
from engagement.configuration import load_project
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import EmbeddedCredentials

_PROJECT = Path(__file__).resolve().parents[3]
_DEMO = _PROJECT / "configurations" / "demo"
_SCRIPTS = (
    "1_coda_get",
    "2_fetch_raw_data",
    "3_generate_outputs",
    "4_coda_add",
    "5_automated_analysis",
    "6_backup_data_root",
    "7_upload_logs",
)
_USER = "benchmark@example.org"


@dataclass(frozen=True)
class Place:
    """The folders of a project with embedded services."""

    folder: Path

    @property
    def configuration(self) -> Path:
        """The pipeline configuration."""
        return self.folder / "configuration" / "pipeline_configuration.json"

    @property
    def data_root(self) -> Path:
        """Where the stages work."""
        return self.folder / "data root"

    @property
    def credentials(self) -> Path:
        """Those of all services."""
        return self.folder / "credentials.json"


def prepare(folder: Path) -> Place:
    """Make the folders and a project without Drive."""
    place = Place(folder)
    shutil.copytree(_DEMO, folder / "configuration")
    credentials = folder / "embedded" / "storage" / "demo-credentials"
    credentials.mkdir(parents=True)
    (credentials / "rapid-pro-token.txt").write_text("benchmark\n")
    (credentials / "firebase.json").write_text('{"type": "embedded", "directory": "../.."}')
    place.credentials.write_text('{"type": "embedded", "directory": "embedded"}')
    set_domain(place, "http://127.0.0.1:9")
    return place


def set_domain(place: Place, address: str) -> None:
    """Write the address of RapidPro into the configuration."""
    document = json.loads(place.configuration.read_text())
    document.pop("DriveUpload", None)
    document["RawDataSources"][0]["Domain"] = address
    place.configuration.write_text(json.dumps(document))


def fill_coda(place: Place, messages: int) -> None:
    """Give Coda every text of the season, with its labels."""
    project = load_project(place.configuration)
    maker, coda = SeasonMaker(project, messages), open_coda(EmbeddedCredentials(place.folder / "embedded"))
    for plan in project.coding_plans.all:
        if plan.coda_dataset is not None:
            coda.create_dataset(plan.coda_dataset, ["coder@example.org"], [])
            coda.add_messages(plan.coda_dataset, maker.make_coda_messages(plan))


def run_night(place: Place, number: int) -> Iterator[tuple[str, Measured]]:
    """Run each stage's script, and measure it."""
    run_id = f"2026-11-{number:02}T000000Z-unknown"
    backups = place.folder / "backups"
    project = (_USER, place.credentials, place.configuration, place.data_root)
    coda = ("--pipeline-configuration", place.configuration, place.credentials, place.folder, place.data_root)
    arguments = {
        "1_coda_get": coda,
        "4_coda_add": coda,
        "6_backup_data_root": ("--run-id", run_id, place.data_root, backups),
        "7_upload_logs": (
            *("--pending", *project[:3], run_id),
            *(place.folder / "logs" / f"memory-{run_id}.profile", backups / f"data-{run_id}.tar.gz"),
        ),
    }
    for script in _SCRIPTS:
        command = [_PROJECT / "run_scripts" / f"{script}.sh", *arguments.get(script, project)]
        yield script, measure(list(map(str, command)), PIPELINE_RUNTIME="host", PIPELINE_RUN_ID=run_id)


def count_bytes(folder: Path) -> int:
    """The bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure_nights(messages: int, folder: Path) -> tuple[list[Night], Disk]:
    """Measure one size; shows each stage as soon as it is known."""
    place, found = prepare(folder), []
    fill_coda(place, messages)
    (folder / "logs").mkdir()
    with serve_rapidpro(place.configuration, messages) as address:
        set_domain(place, address)
        # On the second night, stage 1 brings the texts that stage 4 added on the first.
        for number, name in enumerate(NIGHTS, 1):
            if name == NEW_PARTICIPANTS:
                begin_next_day(address)
            _, loop = calibrate()
            print(f"{messages:,} messages, {name}", file=sys.stderr, flush=True)
            found.append(Night.of(messages, name, loop, map(show, run_night(place, number))))
    backups = folder / "backups"
    return found, Disk(
        messages,
        count_bytes(place.data_root) / messages,
        count_bytes(place.data_root / "Outputs") / messages,
        count_bytes(backups) / messages / len(NIGHTS),
    )


def show(stage: tuple[str, Measured]) -> Measured:
    """Print what a stage took."""
    name, measured = stage
    print(
        f"  {name:<22}{measured.seconds:8.2f} s{measured.processor_seconds:8.2f} s of the processors"
        f"{measured.peak_mebibytes:8,.0f} MiB",
        file=sys.stderr,
        flush=True,
    )
    return measured


def main() -> None:
    """Measure every size that was asked for, print the tables, and renew what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("messages", nargs="*", type=int, default=[1_000, 10_000], help="sizes, like 100000 1000000")
    parser.add_argument("--in", dest="folder", type=Path, help="new folder that keeps the data")
    parser.add_argument("--record", action="store_true", help="keep the measurements in recorded.json")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="renew the tables between the marks in this page")
    args = parser.parse_args()
    nights: list[Night] = []
    disks, recorded, tables = [], read_recorded(), ""
    for messages in sorted(args.messages):
        with tempfile.TemporaryDirectory() as temporary:
            found, disk = measure_nights(messages, (args.folder or Path(temporary)) / str(messages))
        nights += found
        disks.append(disk)
        tables = make_tables(nights, disks, recorded)
        # After each size, as the next one may take an hour and not end.
        if args.record:
            record(found)
        if args.write is not None:
            write_tables(args.write, tables)
    print(tables)


if __name__ == "__main__":
    main()
