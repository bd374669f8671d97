"""Suggest labels for one dataset by hand, from the labels that coders gave in it.

Reads the messages of a Coda file, learns from the labels that people ticked, and writes the same messages with suggestions: unchecked
labels that a coder confirms or changes. Nothing that is there changes, and a suggestion never counts as a label. Where suggestions
would not be right often enough there are none, and --report says why.

A scheme takes several codes a message where coders used copies of it.
"""

import argparse
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engagement.configuration import CodeScheme
from engagement.foundation.errors import InputError, UsageError, count_of
from engagement.foundation.files import open_for_writing, read_json
from engagement.labelling.code_books.scheme_files import read_scheme
from engagement.labelling.suggestions.scikit_learn import expect_scikit_learn
from engagement.pipeline.coding.coded_datasets import check_coda_messages

_logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument(
        "--coda-file", type=Path, required=True, metavar="FILE", help="messages with coders' labels (JSON)"
    )
    parser.add_argument(
        "--code-scheme",
        type=Path,
        required=True,
        nargs="+",
        metavar="FILE",
        help="code scheme to suggest for; or several",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="the messages with suggestions")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="what was suggested, why, and how sure that is (JSON)"
    )
    parser.add_argument(
        "--precision", type=_share, default=0.9, help="how often suggestions have to be right; by default 0.9"
    )


def run(args: argparse.Namespace) -> None:
    """Read, learn, suggest, write."""
    named = [(args.coda_file, "a Coda file"), *((path, "a code scheme") for path in args.code_scheme)]
    missing = [f"{path}: no such file; expected {what}. Check the path." for path, what in named if not path.is_file()]
    if missing:
        raise UsageError("\n".join(missing))
    schemes = [read_scheme(path) for path in args.code_scheme]
    messages = check_coda_messages(read_json(args.coda_file, InputError, what="a Coda file"), str(args.coda_file))
    labelled, report = suggest_for(messages, schemes, args.precision)
    with open_for_writing(args.output) as file:
        file.writelines(_lines_of("[", map(_as_line, labelled), "]"))
    if args.report is not None:
        with open_for_writing(args.report) as file:
            file.writelines(_lines_of("{", map(_as_section, report.items()), "}"))


def _lines_of(start: str, parts: Iterable[str], end: str) -> Iterator[str]:
    separator = ""
    yield start
    for part in parts:
        yield f"{separator}\n{part}"
        separator = ","
    yield f"\n{end}\n"


def _as_line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _as_section(section: tuple[str, object]) -> str:
    """Lay out for reading what is told of schemes; all else is a line, much quicker to write."""
    name, content = section
    text = json.dumps(content, ensure_ascii=False, indent=2) if name == "schemes" else _as_line(content)
    return f"{_as_line(name)}: {text}"


def suggest_for(
    messages: Sequence[Mapping[str, Any]], schemes: Sequence[CodeScheme], precision: float
) -> tuple[list[Mapping[str, Any]], Mapping[str, Any]]:
    """Add suggestions to messages; returns them with a report."""
    # Learning needs a large library, which only this needs.
    expect_scikit_learn()
    from engagement.labelling.suggestions.examples import is_suggestion, read_labelled_texts
    from engagement.labelling.suggestions.suggestions import SuggestionSettings, describe, make_labels, suggest

    found = []
    for scheme in schemes:
        one = suggest(read_labelled_texts(messages, scheme), SuggestionSettings(precision))
        found.append(one)
        _logger.info(
            "Scheme %r: %s for %s without a label%s",
            scheme.name,
            count_of(len(one.suggested), "suggestion"),
            count_of(len(one.labelled.open_texts), "text"),
            f"; {one.why_none}" if one.why_none else "",
        )
    labelled: list[Mapping[str, Any]] = []
    for message in messages:
        created = str(message.get("CreationDateTimeUTC", ""))
        new = [label for one in found for label in make_labels(one, message["MessageID"], created)]
        old = [label for label in message["Labels"] if not (is_suggestion(label) and _is_of(label, schemes))]
        labelled.append({**message, "Labels": [*new, *old]} if new or len(old) < len(message["Labels"]) else message)
    ranked: dict[str, dict[str, Any]] = {}
    for one in found:
        for message_id, codes in one.ranked.items():
            ranked.setdefault(message_id, {})[one.labelled.scheme.scheme_id] = codes
    report = {
        "schemes": {one.labelled.scheme.scheme_id: describe(one) for one in found},
        "messages": ranked,
        "blind": sorted({message_id for one in found for message_id in one.blind_ids}),
        "look_first": list(dict.fromkeys(message_id for one in found for message_id in one.look_first)),
        "teach_most": list(dict.fromkeys(message_id for one in found for message_id in one.teach_most)),
    }
    return labelled, report


def _is_of(label: Mapping[str, Any], schemes: Sequence[CodeScheme]) -> bool:
    return any(scheme.owns(label["SchemeID"]) for scheme in schemes)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0.5 <= share < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share from 0.5 up to 1")
    return share
