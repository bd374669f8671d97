"""Renew the tables of the manual that are made from the code: configuration keys, output columns, exit statuses."""

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engagement import errors
from engagement.configuration.code_schemes import CodeScheme
from engagement.configuration.coding_plans import CodingPlansDocument
from engagement.configuration.model import Model, models_in
from engagement.configuration.pipeline_configuration import PipelineConfiguration
from engagement.errors import InputError, PipelineError
from engagement.files import open_for_writing, read_text
from engagement.outputs.columns import COLUMNS

_DOCUMENTS = (
    ("Pipeline configuration", PipelineConfiguration),
    ("Coding plans", CodingPlansDocument),
    ("Code schemes", CodeScheme),
)
_OTHER_STATUSES = {
    0: ("it worked", "nothing"),
    1: ("a bug of the pipeline's own", "send the traceback to whoever looks after the pipeline"),
    130: ("interrupted", "run it again"),
    143: ("terminated", "run it again"),
}
_ACTIONS = {
    2: "mend the command line; nothing was started",
    4: "wait for the other run to end, then run it again",
    10: "mend the files that the message names; all problems are told at once",
    11: "restore or fetch again the file that the message names",
    12: "check the address and the credentials, then run it again: nothing that arrived is lost",
    13: "look at what the message names, and decide whether it may leave this machine",
    14: "make room, give permission or start the engine, then run it again",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument(
        "manual", type=Path, help="Markdown file with <!-- begin NAME --> … <!-- end NAME --> around tables"
    )


def run(args: argparse.Namespace) -> None:
    """Read the manual, renew its tables, write it."""
    text = renew(read_text(args.manual, InputError, "the manual"), str(args.manual))
    with open_for_writing(args.manual) as file:
        file.write(text)


def renew(text: str, where: str = "the manual") -> str:
    """The manual with its tables made anew.

    Raises
    ------
    InputError
        A table has no place in it.
    """
    for name, table in make_tables().items():
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        text, places = pattern.subn(lambda _, begin=begin, table=table, end=end: begin + table + end, text)
        if places != 1:
            raise InputError(
                f"{where}: {places} places for the table {name!r}; expected one. Put {begin.strip()!r} in."
            )
    return text


def make_tables() -> dict[str, str]:
    """The tables of the manual by name, as Markdown that ends with a line end."""
    return {
        "configuration": "".join(_configuration_tables()),
        "outputs": _table(("File", "Column", "What it holds"), ((c.file, f"`{c.name}`", c.meaning) for c in COLUMNS)),
        "exit statuses": _table(("Status", "Meaning", "What to do"), _statuses()),
    }


def _table(header: tuple[str, ...], rows: Iterator[tuple[str, ...]] | Any) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines)


def _configuration_tables() -> Iterator[str]:
    for title, document in _DOCUMENTS:
        yield f"\n**{title}**\n\n" if title != _DOCUMENTS[0][0] else f"**{title}**\n\n"
        yield _table(("Key", "Needed", "What it is", "Example"), _keys(document, ""))


def _keys(model: type[Model], prefix: str) -> Iterator[tuple[str, ...]]:
    for field in model.model_fields.values():
        needed = "yes" if field.is_required() else _default(field.get_default())
        example = field.examples[0] if field.examples else ""
        inner = list(models_in(field.annotation))
        shown = "" if inner or example in ([], {}) else f"`{_json(example)}`"
        yield f"`{prefix}{field.alias}`", needed, field.description or "", shown
        is_list = "tuple" in str(field.annotation)
        for nested in dict.fromkeys(inner):
            yield from _keys(nested, f"{prefix}{field.alias}{'[]' if is_list else ''}.")


def _default(value: Any) -> str:
    if value is None or isinstance(value, Model):
        return "no"
    return f"no: `{_json(value)}`"


def _json(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _statuses() -> Iterator[tuple[str, str, str]]:
    kinds = {
        kind.exit_status: (kind.__doc__ or "").splitlines()[0].rstrip(".").lower()
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, PipelineError) and kind is not PipelineError
    }
    meanings = {status: (meaning, _ACTIONS[status]) for status, meaning in kinds.items()} | _OTHER_STATUSES
    for status, (meaning, action) in sorted(meanings.items()):
        yield str(status), meaning, action
