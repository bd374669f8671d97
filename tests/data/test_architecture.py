"""The rules of the house: imports go down, bad input raises, files are small, and the project speaks of itself alone."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "engagement"
# Top to bottom: a room imports from the rooms below it, and from itself.
ROOMS = (
    "__main__", "commands", "stages", "explanations", "planning", "checks", "scaffolding", "code_books", "reliability",
    "sandbox", "uploads", "disclosure", "analysis", "processing", "outputs", "folding",
    "coding", "messages", "sources", "cleaning", "services", "clusters", "partitions", "provenance", "configuration", "backups",
    "own_code", "progress", "run_report", "profiling", "sheets", "files", "errors",
)  # fmt: skip
MODULES = sorted(SOURCE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found |= {name.split(".")[1] for name in names if name.startswith("engagement.")}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_down_the_list(path: Path):
    room = room_of(path)
    if room == "__init__":
        assert not imported_rooms(path)
        return
    above = set(ROOMS[: ROOMS.index(room)])
    assert not imported_rooms(path) & above


def test_no_module_holds_two_subjects():
    assert [str(path) for path in MODULES if len(path.read_text().splitlines()) > 350] == []


def test_bad_input_is_never_asserted_away():
    for path in MODULES:
        assert not [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)], path
