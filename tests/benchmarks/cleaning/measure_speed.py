"""How many distinct answers a second the cleaners read on one core: names as they are in the tables, and misspelt ones.

Run by hand: PYTHONPATH=src python tests/benchmarks/cleaning/measure_speed.py
"""

import itertools
import random
import resource
import time
from collections.abc import Callable

from engagement.pipeline.coding.cleaning import Cleaner, find_cleaner
from engagement.pipeline.coding.cleaning.place_names import kenyan_reader, somali_reader

EXACT_A_SECOND = 200_000
FUZZY_A_SECOND = 20_000
ANSWERS = 60_000
LETTERS = "abcdefghijklmnopqrstuvwxyz"
NAMES = {
    "somali.district": lambda: somali_reader().names,
    "somali.mogadishu_sub_district": lambda: somali_reader().names,
    "swahili.county": lambda: kenyan_reader().names,
    "swahili.constituency": lambda: kenyan_reader().names,
    "somali.gender": lambda: ("waxaan ahay gabar", "dhalinyaro", "mwanamke", "female", "waxaan ahay nin weyn"),
    "somali.yes_no": lambda: ("haa walaal", "maya weligay", "hapana", "waxaan ahay barakac", "yes of course"),
    "somali.urban_rural": lambda: ("magaalada", "baadiyaha", "xoolo dhaqato", "countryside", "kijijini"),
    "somali.age": lambda: ("labaatan iyo shan", "waxaan ahay 22jir", "miaka kumi na tisa", "thirty three years"),
}


def write_differently(names: tuple[str, ...], answers: int) -> list[str]:
    """Give distinct spellings of the names that differ in case and white space only."""
    spellings = []
    for spaces in itertools.count():
        for name in names:
            for spelling in (name, name.upper(), name.title()):
                spellings.append(" " * spaces + spelling)
        if len(spellings) >= answers:
            return spellings[:answers]
    raise AssertionError


def misspell(names: tuple[str, ...], answers: int) -> list[str]:
    """Give distinct answers, each a name with one or two letters exchanged, left out or put in."""
    chance = random.Random(20)
    misspelt: dict[str, None] = {}
    while len(misspelt) < answers:
        letters = list(chance.choice(names))
        for _ in range(chance.choice((1, 2))):
            position = chance.randrange(len(letters))
            letters[position : position + chance.choice((0, 1))] = chance.choice((chance.choice(LETTERS), ""))
            letters = letters or ["a"]
        misspelt["".join(letters)] = None
    return list(misspelt)


def answers_a_second(clean: Cleaner, answers: list[str]) -> float:
    """Time one pass over the answers."""
    start = time.perf_counter()
    for answer in answers:
        clean(answer)
    return len(answers) / (time.perf_counter() - start)


def report(cleaner: str, kind: str, measured: float, required: int) -> None:
    """Print a figure and its ratio to what is required."""
    print(f"{cleaner:<34} {kind:<9} {measured:>11,.0f} a second, {measured / required:>5.1f} times {required:,}")


def main() -> None:
    """Measure every cleaner both ways, and the memory at the end."""
    makers: list[tuple[str, str, Callable[[tuple[str, ...], int], list[str]], int]] = [
        ("exact", "place", write_differently, EXACT_A_SECOND),
        ("misspelt", "", misspell, FUZZY_A_SECOND),
    ]
    for cleaner, names in NAMES.items():
        start = time.perf_counter()
        clean = find_cleaner(cleaner)
        print(f"{cleaner:<34} made in {time.perf_counter() - start:.2f} s")
        for kind, fields, make, required in makers:
            if fields == "" or cleaner.endswith(("district", "county", "constituency")):
                report(cleaner, kind, answers_a_second(clean, make(tuple(names()), ANSWERS)), required)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB resident at most")


if __name__ == "__main__":
    main()
