"""Stage 3 when little changed: what it writes is what a full run writes, and those are left alone whose data did not change."""

import json
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
import pytest
from pyarrow.parquet import ParquetFile

from engagement.processing.records import PARTICIPANT, TEXT
from example_project import DataRoot, coda_message, episode_run, label, survey_run

DATASETS = {"s01e01": "episode1", "s01e02": "episode2", "gender": "gender", "age": "age", "location": "district"}
CODES = {
    "s01e01": ["water", "school", "NC"],
    "s01e02": ["hope", "worry"],
    "gender": ["man", "woman", "NC"],
    "age": ["22", "5"],
    "location": ["baidoa", "mogadishu"],
}
_TIMESTAMP = re.compile(rb'("Timestamp": |"timestamp": )"[^"]*"')


def outputs_of(root: DataRoot) -> dict[str, object]:
    """Everything that stage 3 wrote, by name, but for the time of the run and the order of a participant's noted texts."""
    found: dict[str, object] = {}
    for folder in (root.outputs, root.path / "State" / "analysis", root.path / "State" / "outputs"):
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(root.path))
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


def texts_by_participant(path: Path) -> list[list]:
    texts = iter(numpy.fromfile(path, TEXT).tolist())
    counts = numpy.fromfile(path.with_name("participants.array"), PARTICIPANT)["texts"].tolist()
    return [sorted(next(texts) for _ in range(count)) for count in counts]


def changed_in(caplog: pytest.LogCaptureFixture) -> int | None:
    """How many participants the last run made anew; None if it was all of them."""
    found = re.findall(r"(\d+) of \d+ participant\(s\) changed;|(Everything is made anew)", caplog.text)
    return int(found[-1][0]) if found[-1][0] else None


class Season:
    """An invented season that changes: runs by participant, and labels by dataset and text."""

    def __init__(self, seed: int, participants: int) -> None:
        self.random = random.Random(seed)
        self.runs: dict[str, list[str]] = {}
        self.labels: dict[tuple[str, str], list] = {}
        self._number = 0
        for _ in range(participants):
            self.add_participant()
        for _ in range(participants // 4):
            self.change_label()

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def make_text(self) -> str:
        """Some texts are written by many, most by few, one by nobody; some are hard to write down."""
        kind = self.random.random()
        if kind < 0.05:
            return self.random.choice(["", "  ", "=1+1", 'a,"b"\nc', "\u3000", "haa"])
        return f"jawaab {self.random.randrange(400) if kind < 0.7 else self.next_number()}"

    def make_time(self) -> str:
        # Many at the same moment; some in another offset, some outside the project's time.
        month = self.random.choice(["02", "03", "04", "04", "04", "05"])
        offset = self.random.choice(["+03:00", "+00:00"])
        return f"2026-{month}-{self.random.randrange(1, 9):02}T{self.random.randrange(10, 13)}:00:00{offset}"

    def make_run(self, name: str) -> str:
        number = self.next_number()
        if self.random.random() < 0.35:
            answers = {field: self.make_text() for field in ("gender", "age", "location") if self.random.random() < 0.6}
            return survey_run(name, number, self.make_time(), **answers)
        more = {"test_run": True} if self.random.random() < 0.03 else {}
        text = None if self.random.random() < 0.05 else self.make_text()
        return episode_run(name, text, self.random.choice([1, 2]), self.make_time(), number, **more)

    def add_participant(self) -> None:
        name = f"{self.random.randrange(16**8):08x}"
        self.runs[name] = [self.make_run(name) for _ in range(self.random.randrange(1, 5))]

    def add_run(self) -> None:
        name = self.random.choice(sorted(self.runs))
        self.runs[name].insert(self.random.randrange(len(self.runs[name]) + 1), self.make_run(name))

    def change_run(self) -> None:
        name = self.random.choice(sorted(self.runs))
        self.runs[name][self.random.randrange(len(self.runs[name]))] = self.make_run(name)

    def turn_round(self) -> None:
        self.runs[self.random.choice(sorted(self.runs))].reverse()

    def remove_participant(self) -> None:
        del self.runs[self.random.choice(sorted(self.runs))]

    def change_label(self) -> None:
        dataset = self.random.choice(list(DATASETS))
        scheme, text = DATASETS[dataset], f"jawaab {self.random.randrange(400)}"
        kind = self.random.random()
        if kind < 0.15:
            labels = [label(scheme, "STOP")]
        elif kind < 0.4:
            target = self.random.choice(["episode_1", "episode_2", "gender", "location", "elsewhere"])
            labels = [label(scheme, "WS"), label("ws", target)]
        elif kind < 0.5:
            labels = [label(scheme, "WS")]
        elif kind < 0.6:
            labels = []
        else:
            labels = [label(scheme, self.random.choice(CODES[dataset]))]
        self.labels[dataset, text] = labels

    def uncode(self) -> None:
        coded = self.random.choice(sorted(self.labels))
        self.labels[coded] = [label(DATASETS[coded[0]], "SPECIAL-MANUALLY_UNCODED"), *self.labels[coded]]

    def remove_label(self) -> None:
        del self.labels[self.random.choice(sorted(self.labels))]

    def change(self) -> None:
        """Something happens that is likely, or not."""
        self.random.choice(
            [self.add_run, self.add_run, self.change_run, self.turn_round, self.add_participant, self.remove_participant]
            + [self.change_label, self.change_label, self.uncode, self.remove_label]
        )()

    def write(self, root: DataRoot) -> None:
        root.write_runs(*(line for lines in self.runs.values() for line in lines))
        for dataset in DATASETS:
            texts = [(text, labels) for (name, text), labels in self.labels.items() if name == dataset]
            root.write_coded(dataset, *(coda_message(text, *labels) for text, labels in texts))


@pytest.fixture
def roots(tmp_path: Path) -> tuple[DataRoot, DataRoot]:
    """Two data roots of one project: one where runs build on each other, one where each is a full run."""
    first = DataRoot(tmp_path)
    (tmp_path / "full").mkdir()
    return first, DataRoot(tmp_path / "full", first.configuration)


@pytest.mark.parametrize(("seed", "mode"), [(1, "all-stages"), (2, "all-stages"), (3, "auto-code-only")])
def test_a_season_of_changes_leaves_what_full_runs_leave(roots, caplog, seed: int, mode: str):
    caplog.set_level("INFO")
    root, full = roots
    season = Season(seed, participants=250)
    made_anew = []
    for step in range(12):
        season.write(root)
        season.write(full)
        root.generate(mode=mode, partitions=season.random.choice([1, 3]))
        made_anew.append(changed_in(caplog))
        full.generate(mode=mode, full=True)
        assert outputs_of(root) == outputs_of(full), f"step {step}"
        for _ in range(season.random.randrange(0, 5)):
            season.change()
    assert made_anew[0] is None
    assert all(count is not None and count < 60 for count in made_anew[1:])
