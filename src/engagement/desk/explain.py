"""Explain where a participant's rows, or one of their cells, came from, in plain words.

It reads the results of stage 3: run and flow of each answer, what cleaners proposed and coders labelled, moves of
wrong-scheme answers, codes that follow from others, folding, consent. Texts are shown without phone numbers. Nothing is
written.
"""

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from engagement.configuration import load_project
from engagement.configuration.kept_project import find_kept_configuration
from engagement.desk.explanations.steps import StepKind, StorySection, StoryStep
from engagement.desk.explanations.story import Story, tell_story
from engagement.desk.explanations.wording import listed, mask, printable, say_time
from engagement.foundation.errors import UsageError

_WIDTH = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("data_root", type=Path, metavar="data-root", help="directory that holds the pipeline's data")
    parser.add_argument("uid", help="the participant, as in the column 'uid'")
    parser.add_argument(
        "column", nargs="?", help="a column of messages.csv; without it, everything about the participant"
    )
    parser.add_argument(
        "--pipeline-configuration",
        type=Path,
        help="the configuration that Outputs/ were made with (JSON); by default its copy in State/",
    )
    parser.add_argument("--json", action="store_true", help="write JSON instead of text")


def run(arguments: argparse.Namespace) -> None:
    """Read the participant's records, and print their story."""
    if not arguments.data_root.is_dir():
        raise UsageError(f"{arguments.data_root}: no such directory; expected the data root. Check the path.")
    path = arguments.pipeline_configuration or find_kept_configuration(arguments.data_root)
    story = tell_story(load_project(path), arguments.data_root, arguments.uid, arguments.column)
    if arguments.json:
        sys.stdout.write(json.dumps(story.document(), indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(describe_story(story)) + "\n")


def describe_story(story: Story) -> Iterator[str]:
    """Return a story as lines of text."""
    about = "" if story.column is None else f", column {story.column}"
    yield f"Participant {story.uid}{about}"
    yield f"Outputs of {say_time(story.made_at)}, made by {printable(story.made_by)}"
    for section in story.sections:
        yield ""
        yield from _describe_section(section)
    if story.column is None:
        yield ""
        yield "For one cell in full, name its column as well."


def _describe_section(section: StorySection) -> Iterator[str]:
    yield f"{section.title}  [{', '.join(section.files)}]"
    for number, says in enumerate(_say_steps(section.steps), 1):
        yield textwrap.fill(says, _WIDTH, initial_indent=f"  {number}. ", subsequent_indent="     ")
    for column, cell in section.cells.items():
        yield f"  => {column}: {mask(cell) or '(empty)'}"


def _say_steps(steps: Sequence[StoryStep]) -> Iterator[str]:
    """List each step once, with the name of its coding if there are several."""
    abouts: dict[tuple[StepKind, str], list[str]] = {}
    for step in steps:
        abouts.setdefault((step.kind, step.says), []).extend([step.about] if step.about else [])
    are_several = len({step.about for step in steps if step.about}) > 1
    for (_, says), names in abouts.items():
        yield f"{listed(names)}: {says}" if are_several and names else says
