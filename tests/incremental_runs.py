"""What runs of stage 3 that build on each other leave, to be compared with what full runs leave."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
from pyarrow.parquet import ParquetFile

from engagement.processing.records.participant_notes import PARTICIPANT, TEXT
from engagement.sources.manifest import MANIFEST, RawDataWriter
from example_project import DataRoot, coda_message, episode_run, label

_TIMESTAMP = re.compile(rb'("Timestamp": |"timestamp": )"[^"]*"')


def outputs_of(root: DataRoot) -> dict[str, object]:
    """Everything that stage 3 wrote, by name, but for the time of the run and the order of a participant's noted texts."""
    found: dict[str, object] = {}
    for folder in (root.outputs, root.path / "State"):
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(root.path))
            if path.parent.name == "run_inputs":
                # What was, not what is.
                continue
            if path.suffix == ".parquet":
                with ParquetFile(path) as file:
                    groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
                    found[name] = groups, file.read().to_pylist()
            elif path.name == "texts.array":
                found[name] = texts_by_participant(path)
            elif path.name == "notes.json":
                notes = json.loads(path.read_text())
                found[name] = notes["samples"], sorted(notes["losses"])
            elif path.is_file():
                found[name] = _TIMESTAMP.sub(rb'\1""', path.read_bytes())
    return found


def leave_manifest(root: DataRoot) -> None:
    """Do what stage 2 does after it wrote the runs."""
    folder = root.path / "Raw Data"
    (folder / MANIFEST).unlink(missing_ok=True)
    RawDataWriter(folder).finish(sorted(folder.glob("*.jsonl")))


def texts_by_participant(path: Path) -> list[list]:
    texts = iter(numpy.fromfile(path, TEXT).tolist())
    counts = numpy.fromfile(path.with_name("participants.array"), PARTICIPANT)["texts"].tolist()
    return [sorted(next(texts) for _ in range(count)) for count in counts]


def read_processed(caplog: pytest.LogCaptureFixture) -> int | str:
    """Number of participants that the last run processed, or why it was a full run."""
    found = re.findall(r"(\d+) of \d+ participant\(s\) changed;|Full run: (.*)|(Nothing) changed since", caplog.text)
    count, reason, nothing = found[-1]
    return reason or (0 if nothing else int(count))


# Twenty who stay as they are beside those whom a test is about.
OTHERS = [
    episode_run(f"o{n}", f"jawaab {n}", time=f"2026-04-{n % 9 + 1:02}T10:00:00+03:00", run_id=n) for n in range(20)
]

Step = Callable[[DataRoot], object]


def runs(*lines: str) -> Step:
    return lambda root: root.write_runs(*OTHERS[:10], *lines, *OTHERS[10:])


BIYO = episode_run("a", "biyo", run_id=50)
ALONE = [episode_run("a", "jooji", run_id=51), episode_run("a", "kaliya", run_id=52)]
STOP = coda_message("jooji", label("episode1", "STOP"))
