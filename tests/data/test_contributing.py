"""The page for those who change the program names what is there: the rooms in their order, and the files of each recipe."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
_FILES = r"`((?:src|tests|run_scripts|configurations|docs|\.ci)/[^`\s]*|\w+\.md|Pipfile|\.[a-z][\w.-]*\.(?:ini|yaml))`"
PATHS = sorted(set(re.findall(_FILES, PAGE)))
RECIPES = dict(re.findall(r"^### (.+)\n((?:.*\n)*?)(?=^### |\Z)", PAGE, re.MULTILINE))


@pytest.mark.parametrize("path", PATHS)
def test_a_named_file_is_there(path: str):
    assert (ROOT / path).exists()


def order_of_rooms() -> list[str]:
    """The rooms as the architecture's own test has them."""
    tree = ast.parse((ROOT / "tests/data/test_architecture.py").read_text())
    (rooms,) = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ROOMS"
    ]
    return list(ast.literal_eval(rooms))


def test_the_layout_has_every_room_in_its_order_and_nothing_else():
    (layout,) = re.findall(r"<!-- layout -->\n```text\n(.*?)```\n<!-- end of layout -->", PAGE, re.DOTALL)
    of_package = layout.partition("tests/\n")[0].splitlines()[1:]
    assert [re.sub(r"(/|\.py)$", "", line.split()[0]) for line in of_package] == order_of_rooms()


def test_the_layout_has_every_folder_of_tests():
    listed = re.findall(r"^  (\w+)/", PAGE.partition("\ntests/\n")[2].partition("```")[0], re.MULTILINE)
    assert sorted(listed) == sorted(
        path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name[0] != "_"
    )


@pytest.mark.parametrize("kind", ["source type", "cleaner", "chart", "output column", "stage", "service"])
def test_a_recipe_is_a_checklist_with_files(kind: str):
    (recipe,) = [text for title, text in RECIPES.items() if title.removeprefix("An ").removeprefix("A ") == kind]
    steps = re.findall(r"^- \[ \] .+", recipe, re.MULTILINE)
    assert len(steps) >= 3
    for step in steps:
        assert set(re.findall(_FILES, step)), step
