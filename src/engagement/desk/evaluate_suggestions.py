"""Show what suggested labels would have been worth, day by day, from a project's own labels.

For each dataset in Coded Coda Files/ and each of its schemes that people code, this pretends that suggestions were made from the first
day: a day's messages get what the labels of all days before teach, and the coders' own labels tell which suggestions are right. It
reads only, and changes nothing. A day's line is printed when the day is done: learning takes seconds to minutes for each. What each scheme
asks for under Suggestions holds here too; the usual settings hold where it asks for none. The last lines say where suggestions are worth it.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engagement.configuration import CodingConfiguration, CodingMode, load_project
from engagement.configuration.suggestion_settings import Suggestions
from engagement.foundation.errors import InputError, UsageError
from engagement.foundation.files import read_json
from engagement.labelling.suggestions.scikit_learn import expect_scikit_learn
from engagement.pipeline.coding.coded_datasets import CODA_FILE_REMEDY, check_coda_messages

if TYPE_CHECKING:
    from engagement.labelling.suggestions.day_by_day import Day

Verdicts = dict[tuple[str, bool], list[str]]
"""The schemes by what is said of them, and by whether suggestions are on."""

_HEADING = ("day", "messages", "labelled before", "suggested", "right", "clicks saved")
_WIDTHS = (len("2026-03-01"), *(max(len(title), 8) for title in _HEADING[1:]))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument(
        "pipeline_configuration", type=Path, metavar="<pipeline-configuration>", help="the project's configuration"
    )
    parser.add_argument("data_root", type=Path, metavar="<data-root>", help="folder with all of the pipeline's data")
    parser.add_argument("--dataset", metavar="NAME", help="this dataset alone")


def run(args: argparse.Namespace) -> None:
    """Replay each dataset's days, and print a table a scheme."""
    plans = load_project(args.pipeline_configuration).coding_plans
    expect_scikit_learn()
    known = {plan.coda_dataset: plan for plan in plans.all if plan.coda_dataset is not None}
    if args.dataset is not None and args.dataset not in known:
        raise UsageError(f"--dataset {args.dataset}: no such dataset; expected one of {', '.join(sorted(known))}.")
    verdicts: Verdicts = {}
    found = False
    for dataset, plan in known.items():
        path = args.data_root / "Coded Coda Files" / f"{dataset}.json"
        if (args.dataset is not None and dataset != args.dataset) or not path.is_file():
            continue
        found = True
        for one in plan.coding_configurations:
            if one.in_coda and one.cleaner is None:
                for line in _evaluate(path, dataset, one, verdicts):
                    print(line, flush=True)  # noqa: T201
    if not found:
        raise InputError(
            f"{args.data_root / 'Coded Coda Files'}: no file of a dataset; expected labels to learn from. Run stage 1 first."
        )
    for line in _sum_up(verdicts):
        print(line)  # noqa: T201


def _evaluate(path: Path, dataset: str, one: CodingConfiguration, verdicts: Verdicts) -> Iterator[str]:
    # Learning needs a large library, which only this needs.
    from engagement.labelling.suggestions.advice import advise, say
    from engagement.labelling.suggestions.day_by_day import add_up, replay_days
    from engagement.labelling.suggestions.suggestions import SuggestionSettings

    document = read_json(path, InputError, what="a Coda file", remedy=CODA_FILE_REMEDY)
    messages = check_coda_messages(document, str(path))
    is_multiple = one.coding_mode is CodingMode.MULTIPLE
    yield f"{dataset}, scheme {one.code_scheme.name}:"
    wanted = one.suggestions or Suggestions()
    settings = SuggestionSettings(wanted.precision, wanted.minimum_labelled, wanted.blind_share)
    days: list[Day] = []
    for day in replay_days(messages, one.code_scheme, is_multiple, settings):
        if not days:
            yield _align(_HEADING)
        yield _align(_cells(day))
        days.append(day)
    if days:
        advice = advise(days, settings)
        yield _align(_cells(add_up(days)))
        yield say(advice, sum(day.messages for day in days))
        is_on = one.suggestions is not None
        verdicts.setdefault((str(advice.verdict), is_on), []).append(f"{dataset}, scheme {one.code_scheme.name}")
    else:
        yield "  nobody has labelled a message; nothing to learn from"
    yield ""


def _sum_up(verdicts: Verdicts) -> Iterator[str]:
    """Say for which schemes to turn suggestions on or off."""
    actions = {
        ("worth it", False): 'Turn suggestions on ("Suggestions": true) for',
        ("worth it", True): "Keep suggestions on for",
        ("not worth it", True): "Turn suggestions off for",
        ("not worth it", False): "Not worth it for",
        ("too early to tell", True): "Too early to tell, with suggestions on, for",
        ("too early to tell", False): "Too early to tell for",
    }
    for key, action in actions.items():
        if key in verdicts:
            yield f"{action}: {'; '.join(verdicts[key])}."


def _align(cells: Sequence[str]) -> str:
    """Lay out a line before the next ones are known: the day to the left, numbers to the right."""
    first, *others = zip(cells, _WIDTHS, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])


def _cells(day: "Day") -> tuple[str, ...]:
    counts = (day.messages, day.labelled_before, day.suggested, day.right)
    return (day.day, *map(str, counts), f"{day.saved:.0%}")
