"""The example project's first episode with suggestions: people who answered, and coders who labelled most of the answers."""

import json
import random
from pathlib import Path

from example_project import DataRoot, Document, coda_message, episode_run, label, write_project

WORDS = {
    "water": "biyo ceel dhaan biyaha nadiif barkad",
    "school": "iskuul arday macallin buugag dugsi waxbarasho",
    "roads": "waddo laami jid gaadhi buundo dayactir",
}
THEMES = tuple(WORDS)
LABELLED, OPEN = 240, 60


def text_of(number: int) -> str:
    chooser = random.Random(number)
    words = WORDS[THEMES[number % 3]].split()
    if number % 6 == 0:
        words = [*words, *WORDS["school"].split()]
    return " ".join(chooser.sample(words, 4)) + f" {number}"


def labels_of(number: int) -> list[Document]:
    first = label("episode1", THEMES[number % 3])
    return [first, label("episode1", "school", copy="-1")] if number % 6 == 0 else [first]


def with_suggestions(settings: object = True, plans: tuple[int, ...] = (0,)):
    def change(document: Document) -> None:
        for number in plans:
            document["RQACodingPlans"][number]["CodingConfigurations"][0]["Suggestions"] = settings

    return change


class Season:
    """People who answered the first episode; of some, coders labelled the answer."""

    def __init__(self, folder: Path, settings: object = True) -> None:
        change = None if settings is None else with_suggestions(settings)
        self.root = DataRoot(folder, write_project(folder / "configuration", change_plans=change))
        self.texts = {f"p{number}": text_of(number) for number in range(LABELLED + OPEN)}
        self.coded = {text_of(number): labels_of(number) for number in range(LABELLED)}

    def write(self, shuffled: bool = False) -> DataRoot:
        self.root.write_runs(*(episode_run(name, text, run_id=n) for n, (name, text) in enumerate(self.texts.items())))
        messages = [coda_message(text, *labels) for text, labels in self.coded.items()]
        if shuffled:
            random.Random(3).shuffle(messages)
        self.root.write_coded("s01e01", *messages)
        return self.root

    def suggested(self) -> dict[str, list[tuple[str, str]]]:
        return {
            message["Text"]: [(found["SchemeID"], found["CodeID"]) for found in message["Labels"]]
            for message in self.root.coda_file("s01e01")
            if message["Labels"]
        }

    def report(self) -> Document:
        found = json.loads((self.root.outputs / "Suggestions" / "EXAMPLE_s01e01.json").read_text())
        return found["schemes"][0]

    @property
    def state(self) -> Path:
        return self.root.path / "State" / "suggestions"


def WORDS_OF(text: str) -> set[str]:  # noqa: N802 - reads like the table it looks into
    return {f"episode1-{theme}" for theme, words in WORDS.items() if set(words.split()) & set(text.split())}
