"""The messages that the runbook explains are messages of the code, with the exit status that it says."""

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from engagement.foundation import errors
from engagement.foundation.errors import PipelineError
from manual_pages import ROOT, TEXTS

PAGE = "docs/runbook.md"
HOLE = "\0"  # stands for what differs from message to message
WARNING = 0
STATUSES = {
    name: kind.exit_status
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, PipelineError)
} | {"TemporaryError": errors.ServiceError.exit_status, "warning": WARNING}


@dataclass(frozen=True)
class Template:
    """A text of the code with holes; `statuses` are those that it may end with, empty where that can't be seen."""

    text: str
    statuses: frozenset[int]


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def texts_in(node: ast.AST, status: int | None) -> Iterator[tuple[str, int | None]]:
    """Every text below a node, with the status of the innermost call that says one."""
    if isinstance(node, ast.Call):
        status = STATUSES.get(name_of(node), status)
    if isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else HOLE for part in node.values), status
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield re.sub(r"%[-.\d]*[sdrfg]", HOLE, node.value), status
    else:
        for child in ast.iter_child_nodes(node):
            yield from texts_in(child, status)


@functools.cache
def all_templates() -> tuple[Template, ...]:
    return tuple(templates())


def templates() -> Iterator[Template]:
    for path in (ROOT / "src" / "engagement").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = {name_of(node) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        of_module = frozenset(STATUSES[name] for name in calls if name in STATUSES)
        for text, status in texts_in(tree, None):
            yield Template(" ".join(text.split()), of_module if status is None else frozenset([status]))
    for path in (ROOT / "run_scripts").rglob("*.sh"):
        for status, text in re.findall(r"\b(?:stop (\d+)|fail) (.+)", path.read_text(encoding="utf-8")):
            yield Template(re.sub(r"\$\{[^}]*\}|\$\w+", HOLE, text), frozenset([int(status or 2)]))


# Each message of the runbook with its status.
MESSAGES = [
    (int(heading.removeprefix("Status ").split(":")[0]) if heading.startswith("Status") else WARNING, message)
    for heading, content in re.findall(
        r"^### ((?:Status \d+:|Warnings,)[^\n]*)\n(.*?)(?=^##)", TEXTS[PAGE], re.MULTILINE | re.DOTALL
    )
    for message in re.findall(r"^\| `([^`]+)` \|", content, re.MULTILINE)
]


def is_of(message: str, template: Template) -> bool:
    """Whether the message's pieces stand in the text, in order; none of them holds a place where texts differ."""
    end = 0
    for piece in message.split("…"):
        start = template.text.find(piece.strip(), end)
        if start < 0:
            return False
        end = start + len(piece.strip())
    return True


@pytest.mark.parametrize(("status", "message"), MESSAGES, ids=lambda value: str(value))
def test_a_message_of_the_runbook_is_one_of_the_code(status: int, message: str):
    assert len(message.replace("…", "")) > 12, "too little to be recognised by"
    found = [template for template in all_templates() if is_of(message, template)]
    assert found
    assert any(status in template.statuses or not template.statuses for template in found), found


def test_there_are_messages_for_every_status_that_a_person_can_act_on():
    assert {status for status, _ in MESSAGES} == {0, *(set(STATUSES.values()) - {1})}
