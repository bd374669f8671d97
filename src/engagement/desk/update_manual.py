"""Renew the manual's generated tables: configuration keys, cleaners, output columns, exit statuses."""

import argparse
import json
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from engagement.configuration.code_schemes import CodeScheme
from engagement.configuration.coding_plans import CodingPlansDocument
from engagement.configuration.control_codes import CONTROL_CODES
from engagement.configuration.model import Model, models_in
from engagement.configuration.pipeline_configuration import PipelineConfiguration
from engagement.foundation import errors
from engagement.foundation.errors import InputError, PipelineError
from engagement.foundation.files import open_for_writing, read_text
from engagement.pipeline.coding.cleaning import cleaner_names, codes_of_cleaner
from engagement.pipeline.outputs.columns import COLUMNS

# Pages of the manual, relative to the clone.
PAGES = (
    "README.md",
    "configurations/README.md",
    "docs/runbook.md",
    "docs/outputs.md",
    "docs/cluster.md",
    "docs/coming_from_an_earlier_pipeline.md",
)
_PLACE = re.compile(r"<!-- begin (?P<name>[^>\n]*?) -->\n.*?<!-- end (?P<end>[^>\n]*?) -->", re.DOTALL)
_MOST_CODES_SHOWN = 4
_DOCUMENTS = (
    ("Pipeline configuration", PipelineConfiguration),
    ("Coding plans", CodingPlansDocument),
    ("Code schemes", CodeScheme),
)
_OTHER_STATUSES = {
    0: ("it worked", "nothing"),
    1: ("a bug of the pipeline's own", "send the traceback to whoever looks after the pipeline"),
    129: ("the terminal was closed", "run it again, under cron, systemd or nohup"),
    130: ("interrupted", "run it again"),
    137: (
        "killed outright: by hand, because memory ran out, or because the machine stopped",
        "see the system's log; if memory ran out, give it more (`PIPELINE_MEMORY`) or use fewer `--jobs`. Then run it again",
    ),
    143: ("terminated", "run it again"),
}
_ACTIONS = {
    2: "mend the command line; nothing was started",
    4: "wait for the other run to end, then run it again",
    10: "mend the files that the message names; all problems are listed at once",
    11: "restore or fetch again the file that the message names",
    12: "check the address and the credentials, then run it again: nothing that arrived is lost",
    13: "look at what the message names, and decide whether it may leave this machine; or whether so many contacts are meant, "
    "and then `--accept-many` or `--accept-all` once",
    14: "make room, give permission or start the engine, then run it again",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument(
        "pages",
        type=Path,
        nargs="*",
        default=[Path(page) for page in PAGES],
        help="Markdown files with <!-- begin NAME --> … <!-- end NAME --> around tables; by default the manual's, from the "
        "folder of the clone",
    )


def run(args: argparse.Namespace) -> None:
    """Read each page, renew its tables, write it."""
    renewed = {page: renew(read_text(page, InputError, "a page of the manual"), str(page)) for page in args.pages}
    for page, text in renewed.items():
        with open_for_writing(page) as file:
            file.write(text)


def renew(text: str, where: str = "the manual") -> str:
    """Renew the tables of a page of the manual.

    Raises
    ------
    InputError
        The page has a place for an unknown table.
    """
    tables = make_tables()

    def fill(place: re.Match[str]) -> str:
        name = place["name"]
        if name not in tables or place["end"] != name:
            raise InputError(
                f"{where}: the place 'begin {name}' … 'end {place['end']}'; expected one name of {', '.join(tables)} in both. "
                "Change it."
            )
        return f"<!-- begin {name} -->\n{tables[name]}<!-- end {name} -->"

    return _PLACE.sub(fill, text)


def make_tables() -> dict[str, str]:
    """Make the manual's tables, by name, as Markdown that ends with a line end."""
    return {
        "configuration": "".join(_configuration_tables()),
        "cleaners": _table(("Cleaner", "Codes that it gives"), _cleaners()),
        "outputs": _table(("File", "Column", "What it holds"), ((c.file, f"`{c.name}`", c.meaning) for c in COLUMNS)),
        "control codes": _table(("Code", "What it says", "Where a table holds it", "Responded"), _control_codes()),
        "exit statuses": _table(("Status", "Meaning", "What to do"), _statuses()),
    }


def _table(header: tuple[str, ...], rows: Iterator[tuple[str, ...]] | Any) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines)


def _configuration_tables() -> Iterator[str]:
    for title, document in _DOCUMENTS:
        yield f"\n**{title}**\n\n" if title != _DOCUMENTS[0][0] else f"**{title}**\n\n"
        yield _table(("Key", "Needed", "What it is", "Example"), _keys(document, ""))


def _keys(
    model: type[Model], prefix: str, described: dict[type[Model], str] | None = None
) -> Iterator[tuple[str, ...]]:
    """Make the rows of a model's keys. A model used in several places is `described` at the first."""
    described = {} if described is None else described
    # Keys that others depend on come first.
    fields = sorted(model.model_fields.values(), key=lambda field: typing.get_origin(field.annotation) is not Literal)
    for field in fields:
        needed = "yes" if field.is_required() else _default(field.get_default())
        example = field.examples[0] if field.examples else ""
        inner = list(dict.fromkeys(models_in(field.annotation)))
        shown = "" if example in ([], {}) else f"`{_json(example)}`"
        path = f"{prefix}{field.alias}{'[]' if inner and 'tuple' in str(field.annotation) else ''}"
        meaning = (field.description or "").replace("<", r"\<")
        known = next((described[nested] for nested in inner if nested in described), None)
        if known is not None:
            yield f"`{path}`", needed, f"{meaning}; the keys are those of `{known}`", shown
            continue
        yield f"`{path}`", needed, meaning, shown
        for nested in inner:
            described[nested] = path
            yield from _keys(nested, f"{path}.", described)


def _default(value: Any) -> str:
    if value is None or isinstance(value, Model):
        return "no"
    return f"no: `{_json(value)}`"


def _json(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _cleaners() -> Iterator[tuple[str, str]]:
    for name in cleaner_names():
        codes = sorted(codes_of_cleaner(name))
        some = ", ".join(codes[:_MOST_CODES_SHOWN])
        rest = len(codes) - _MOST_CODES_SHOWN
        yield f"`{name}`", some if rest <= 0 else f"{some} and {rest} more"


def _control_codes() -> Iterator[tuple[str, str, str, str]]:
    for code, entry in CONTROL_CODES.items():
        yield str(code), entry.wording, entry.meaning, "yes" if entry.has_responded else "no"


def _statuses() -> Iterator[tuple[str, str, str]]:
    kinds = {
        kind.exit_status: _as_phrase((kind.__doc__ or "").splitlines()[0])
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, PipelineError) and kind is not PipelineError
    }
    meanings = {status: (meaning, _ACTIONS[status]) for status, meaning in kinds.items()} | _OTHER_STATUSES
    for status, (meaning, action) in sorted(meanings.items()):
        yield str(status), meaning, action


def _as_phrase(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:].rstrip(".")
