"""The pages of the manual, taken apart: their code blocks and command lines."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engagement.desk.update_manual import PAGES

ROOT = Path(__file__).resolve().parents[1]
TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
_FENCED = re.compile(r"^```(?P<language>\w*)\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)
# The runbook's example of a project calls run_pipeline.sh by this.
_WRAPPER = "/srv/show/run"
_COMMAND = re.compile(
    rf"(?:run_scripts/(?P<script>\w+\.sh)\"?|(?P<wrapper>{_WRAPPER})|(?:^|\s)engagement)(?=\s|$)(?P<rest>.*)"
)


@dataclass(frozen=True)
class Block:
    """A block of code. `section` is the heading it stands under, `lead` the paragraph before it on one line."""

    section: str
    lead: str
    language: str
    content: str


@dataclass(frozen=True)
class CommandLine:
    """A command of ours: a run script's file name, or the name of a stage or command, and its arguments."""

    name: str
    arguments: tuple[str, ...]


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    text = TEXTS[page]
    for found in _FENCED.finditer(text):
        before = text[: found.start()]
        section = re.findall(r"^## (.+)$", before, re.MULTILINE)
        lead = " ".join(before.rstrip("\n").rpartition("\n\n")[2].split())
        yield Block(section[-1] if section else "", lead, found["language"], found["content"])


def command_lines(text: str) -> Iterator[CommandLine]:
    """The commands of ours in the lines of a block; lines may go on after a backslash."""
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        command = _COMMAND.search(line)
        if command is None or line.startswith("alias "):
            continue
        # What stands in square brackets may be left out; here it is not. Where output goes is the shell's business.
        rest = re.sub(r"[\[\]]|\s\d?>\S.*|\"\$@\"", "", command["rest"])
        name, arguments = command["script"], shlex.split(rest)
        if command["wrapper"] is not None:
            name, arguments = "run_pipeline.sh", arguments + ["<argument>"] * 9
        elif name in (None, "engagement.sh"):
            name, *arguments = arguments
        yield CommandLine(name, tuple(arguments))


def all_command_lines() -> Iterator[tuple[str, CommandLine]]:
    """Every command of ours in the manual's blocks, with its page."""
    for page, text in TEXTS.items():
        plain = _FENCED.sub("\n", text)
        for content in [block.content for block in blocks(page)] + _INDENTED.findall(plain):
            for command in command_lines(content):
                yield page, command
