"""The rules of the house: imports go down, bad input raises, files are small, and the project speaks of itself alone."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "engagement"
# Top to bottom: a room imports from the rooms below it, and from itself.
ROOMS = (
    "__main__", "desk", "stages", "custody", "delivery", "analysis", "labelling", "sandbox", "processing", "pipeline",
    "sources", "services", "configuration", "provenance", "foundation",
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


def test_no_room_needs_the_analysis():
    # A stage runs it; and the checks look at the boundaries of a project's maps.
    users = {room_of(path) for path in MODULES if "analysis" in imported_rooms(path)}
    assert users <= {"analysis", "stages", "desk"}


def test_no_module_holds_two_subjects():
    # Each of these is yet to be split by subject.
    too_long = {"desk/explanations/codings.py", "stages/generate_outputs.py"}
    found = {str(path.relative_to(SOURCE)) for path in MODULES if len(path.read_text().splitlines()) > 300}
    assert found <= too_long
    scripts = (ROOT / "run_scripts").rglob("*.sh")
    assert [str(path) for path in scripts if len(path.read_text().splitlines()) > 300] == []


def test_bad_input_is_never_asserted_away():
    for path in MODULES:
        assert not [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)], path


# Python's own writer leaves CR unquoted before 3.12.3, and nothing but `foundation.csv_cells` guards against formulas.
OTHER_CSV_WRITERS = {"writer", "DictWriter", "to_csv", "writerow", "writerows"}


def other_csv_writers(source: str) -> list[str]:
    nodes = list(ast.walk(ast.parse(source)))
    names = [node.attr for node in nodes if isinstance(node, ast.Attribute)]
    names += [alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names]
    return [name for name in names if name in OTHER_CSV_WRITERS]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_csv_is_written_by_the_one_module(path: Path):
    assert other_csv_writers(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import csv\ncsv.writer(file).writerow(cells)",
        "from csv import DictWriter",
        "table.to_csv(path)",
        "import csv as c\nwrite = c.writer",
    ],
)
def test_another_writer_of_csv_is_noticed(source: str):
    assert other_csv_writers(source)


def test_html_is_made_by_the_one_module():
    # The gate before Drive looks into pages that are made already.
    makers = {str(path.relative_to(SOURCE)) for path in MODULES if "html.escape(" in path.read_text()}
    assert makers == {"foundation/pages.py", "delivery/disclosure/pages.py"}
    assert [path for path in MODULES if "jinja2" in path.read_text()] == [SOURCE / "foundation" / "pages.py"]


def test_nobody_takes_nel_or_u2028_in_a_text_for_a_line_end():
    # `splitlines` does, for text; these two use it on bytes of our own JSON, which has none, and on a docstring.
    allowed = {"sources/recovery_csv/fetch.py", "desk/update_manual.py"}
    found = {str(path.relative_to(SOURCE)) for path in MODULES if ".splitlines(" in path.read_text()}
    assert found <= allowed
