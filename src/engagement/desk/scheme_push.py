"""Set the project's changed code schemes and new users in every dataset of Coda that exists.

Shows what would change; changes nothing without --yes. Never removes a code that labels use, a scheme or a user. Colours and
shortcuts that only Coda has stay.
"""

import argparse
import itertools
import logging
import sys
from collections.abc import Iterable
from pathlib import Path

from engagement.foundation.errors import ConfigurationError, count_of, listing
from engagement.labelling.datasets.datasets import Datasets, find_datasets
from engagement.labelling.datasets.scheme_pushes import SegmentPush, find_codes_in_use, plan_push
from engagement.services.coda.format import CodeSchemeDocument, MessageDocument, name_segment
from engagement.services.coda.protocol import CodaDatabase, open_coda
from engagement.services.credentials import load_credentials

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument(
        "configuration", type=Path, metavar="pipeline-configuration", help="pipeline configuration (JSON)"
    )
    parser.add_argument("--credentials", type=Path, required=True, help="Coda's credentials (JSON)")
    parser.add_argument("--yes", action="store_true", help="make the changes")


def run(arguments: argparse.Namespace) -> None:
    """Show all datasets' differences, refuse what labels forbid, and make the changes if told to."""
    coda = open_coda(load_credentials(arguments.credentials))
    datasets = find_datasets(None, arguments.configuration)
    existing = [dataset for dataset in datasets.names if coda.has_dataset(dataset)]
    pushes = {dataset: _plan(coda, dataset, datasets) for dataset in existing}
    lines = [line for planned in pushes.values() for push in planned for line in _describe(push)]
    sys.stdout.writelines(f"{line}\n" for line in lines or ["Coda has these schemes and users already."])
    problems = []
    for dataset, planned in pushes.items():
        if any(push.removed for push in planned):
            problems += _find_problems(dataset, planned, coda.download(dataset).messages)
    if problems:
        raise _refusal(coda.instance, problems, "Nothing was changed.")
    if not arguments.yes:
        if lines:
            sys.stdout.write("Nothing was changed. Run this again with --yes to make these changes.\n")
        return
    for dataset, planned in pushes.items():
        _push(coda, dataset, planned)
    log.info("Coda: read %d documents", coda.documents_read)


def _plan(coda: CodaDatabase, dataset: str, datasets: Datasets) -> list[SegmentPush]:
    in_coda = zip(
        coda.read_users_of_all_segments(dataset), coda.read_code_schemes_of_all_segments(dataset), strict=True
    )
    configured, shown = datasets.code_schemes[dataset], datasets.shown_schemes[dataset]
    planned = (
        plan_push(dataset, number, segment, datasets.users, configured, shown)
        for number, segment in enumerate(in_coda, start=1)
    )
    return [push for push in planned if push.lines]


def _describe(push: SegmentPush) -> list[str]:
    return [f"{name_segment(push.dataset, push.number)}: {line}" for line in push.lines]


def _find_problems(dataset: str, planned: Iterable[SegmentPush], messages: Iterable[MessageDocument]) -> list[str]:
    removed = itertools.chain.from_iterable(push.removed for push in planned)
    return [
        f"dataset {dataset!r}, scheme {scheme_id!r}: {count_of(count, 'label')} with code {code_id!r}, which the file lacks"
        for (scheme_id, code_id), count in find_codes_in_use(removed, messages).items()
    ]


def _push(coda: CodaDatabase, dataset: str, planned: list[SegmentPush]) -> None:
    """Change a dataset's segments; put its schemes back if somebody used a removed code meanwhile."""
    removes = any(push.removed for push in planned)
    before: list[list[CodeSchemeDocument]] = coda.read_code_schemes_of_all_segments(dataset) if removes else []
    for push in planned:
        coda.set_up_segment(dataset, push.number, push.users, push.code_schemes)
    # Whoever had the page open could label with a removed code until now.
    problems = _find_problems(dataset, planned, coda.download(dataset).messages) if removes else []
    if problems:
        for push in planned:
            coda.set_up_segment(dataset, push.number, (), before[push.number - 1])
        raise _refusal(coda.instance, problems, "Its schemes in Coda were put back.")
    if planned:
        log.info("Coda %r: changed %s", dataset, count_of(len(planned), "segment"))


def _refusal(instance: str, problems: list[str], state: str) -> ConfigurationError:
    return ConfigurationError(
        f"Coda {instance}: {listing(problems)}\nExpected no label with a code that is to be removed. {state} Put the code back "
        "into the file, or have the messages labelled anew."
    )
