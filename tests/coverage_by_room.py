"""Print how much of each room the tests ran: `run_scripts/run_tests.sh --coverage` measures it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import coverage

SOURCE = Path(__file__).resolve().parents[1] / "src" / "engagement"


def say_rooms(files: Iterable[tuple[Path, int, int]]) -> Iterator[str]:
    """One line a room, the least covered first, then all of them. A file comes with its lines, and with those that ran.

    >>> list(say_rooms([(Path("coding/coder.py"), 30, 27), (Path("coding/labels.py"), 10, 10), (Path("files.py"), 4, 2)]))
    ['files            50.0 %  2 of 4 lines', 'coding           92.5 %  37 of 40 lines', 'all              88.6 %  39 of 44 lines']
    """
    lines: Counter[str] = Counter()
    ran: Counter[str] = Counter()
    for path, of_file, ran_of_file in files:
        for room in (path.parts[0].removesuffix(".py"), "all"):
            lines[room] += of_file
            ran[room] += ran_of_file
    rooms = sorted(
        (room for room in lines if lines[room]), key=lambda room: (room == "all", ran[room] / lines[room], room)
    )
    for room in rooms:
        yield f"{room:<15}{ran[room] / lines[room]:7.1%}  {ran[room]:,} of {lines[room]:,} lines".replace("%", " %")


def read_files() -> Iterator[tuple[Path, int, int]]:
    """The package's files, those that no test imports as well, with their lines and those that ran."""
    measured = coverage.Coverage()
    measured.load()
    # What a process wrote that ended after the tests.
    measured.combine()
    for path in sorted(SOURCE.rglob("*.py")):
        _, lines, _, missing, _ = measured.analysis2(str(path))
        yield path.relative_to(SOURCE), len(lines), len(lines) - len(missing)


if __name__ == "__main__":
    for line in say_rooms(read_files()):
        print(line)
