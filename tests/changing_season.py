"""An invented season of the example project that changes bit by bit, as seasons do; the same changes for the same seed."""

import random

from example_project import DataRoot, coda_message, episode_run, label, survey_run

# Datasets with the scheme of their labels, and codes that coders give.
_DATASETS = {
    "s01e01": ("episode1", ["water", "school", "NC"]),
    "s01e02": ("episode2", ["hope", "worry"]),
    "gender": ("gender", ["man", "woman", "NC"]),
    "age": ("age", ["22", "5"]),
    "location": ("district", ["baidoa", "mogadishu"]),
}


class Season:
    """Runs by participant, and labels by dataset and text."""

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
        return episode_run(name, text, self.random.choice([1, 1, 1, 2]), self.make_time(), number, **more)

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
        dataset = self.random.choice(list(_DATASETS))
        (scheme, codes), text = _DATASETS[dataset], f"jawaab {self.random.randrange(400)}"
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
            labels = [label(scheme, self.random.choice(codes))]
        self.labels[dataset, text] = labels

    def uncode(self) -> None:
        coded = self.random.choice(sorted(self.labels))
        self.labels[coded] = [label(_DATASETS[coded[0]][0], "SPECIAL-MANUALLY_UNCODED"), *self.labels[coded]]

    def remove_label(self) -> None:
        del self.labels[self.random.choice(sorted(self.labels))]

    def change(self) -> None:
        """Something happens that is likely, or not."""
        self.random.choice(
            [
                self.add_run,
                self.add_run,
                self.change_run,
                self.turn_round,
                self.add_participant,
                self.remove_participant,
            ]
            + [self.change_label, self.change_label, self.uncode, self.remove_label]
        )()

    def write(self, root: DataRoot) -> None:
        root.write_runs(*(line for lines in self.runs.values() for line in lines))
        for dataset in _DATASETS:
            texts = [(text, labels) for (name, text), labels in self.labels.items() if name == dataset]
            root.write_coded(dataset, *(coda_message(text, *labels) for text, labels in texts))
