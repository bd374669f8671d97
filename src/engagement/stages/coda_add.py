"""Add the messages that Coda lacks to every dataset; what people did there is never changed.

Adds the messages of <data-root>/Outputs/Coda Files/<dataset>.json that Coda lacks, and never touches one that it has, unless the
pipeline configuration has UpdateSuggestions: then messages that nobody has labelled also get suggestions, once a night. Makes
missing datasets in Coda if the pipeline configuration names CodaUsers. Adds nothing if a code scheme in Coda differs from the
configuration's.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engagement.foundation.errors import ConfigurationError, InputError, ServiceError, count_of, listing
from engagement.foundation.run_report import record_counts
from engagement.labelling.datasets.datasets import Datasets, output_file
from engagement.labelling.datasets.known_datasets import KnownDatasets
from engagement.labelling.datasets.known_messages import load_added_messages, load_known_messages, save_known_messages
from engagement.labelling.datasets.scheme_differences import (
    find_absent_schemes,
    find_in_segments,
    find_odd_schemes,
    find_scheme_differences,
    find_unknown_codes,
)
from engagement.labelling.datasets.second_coders import choose_second_messages
from engagement.labelling.datasets.synchronisation import choose_new_messages
from engagement.services.coda.dataset_errors import DatasetError
from engagement.services.coda.format import MessageDocument, read_message_file
from engagement.services.coda.protocol import CodaDatabase, open_coda
from engagement.services.credentials import load_credentials

if TYPE_CHECKING:
    from engagement.labelling.suggestions.updates import SuggestedLabels

log = logging.getLogger(__name__)

_REMEDY = "Generate the outputs again."


@dataclass(frozen=True)
class _Addition:
    """Additions to a dataset: `known` are ids of messages that Coda has, `new` are messages it may lack.

    `is_sample` tells whether it is for second coders.
    """

    dataset: str
    candidates: list[MessageDocument]
    known: frozenset[str]
    new: list[MessageDocument]
    is_sample: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    parser.add_argument("--credentials", type=Path, required=True, help="Coda's credentials (JSON)")
    parser.add_argument("--data-root", type=Path, required=True, help="folder with all of the pipeline's data")
    parser.add_argument(
        "--pipeline-configuration", type=Path, help="pipeline configuration (JSON), to know datasets and users from"
    )


def run(arguments: argparse.Namespace) -> None:
    """Check the additions, then add each dataset's new messages; then name the datasets that Coda lacks."""
    coda = open_coda(load_credentials(arguments.credentials))
    known = KnownDatasets(arguments.data_root, arguments.pipeline_configuration)
    known.tell_warnings()
    datasets = known.datasets
    additions = [
        addition
        for dataset in datasets.names
        if (addition := _plan_addition(coda, dataset, datasets, arguments.data_root)) is not None
    ]
    existing = {addition.dataset for addition in additions if coda.has_dataset(addition.dataset)}
    updates = _plan_updates(coda, datasets, arguments.data_root)
    _check_code_schemes(coda, datasets, sorted(existing | updates.keys()))
    # From here on Coda is written to.
    absent, problems = [], []
    for addition in additions:
        try:
            if addition.dataset in existing:
                _add(coda, addition, arguments.data_root)
            elif users := datasets.users_of(addition.dataset):
                _make(coda, addition, users, datasets, arguments.data_root)
            else:
                absent.append(addition.dataset)
        except DatasetError as error:
            problems.append(str(error))
    problems += _update(coda, updates, arguments.data_root)
    known.keep()
    log.info("Coda: read %s", count_of(coda.documents_read, "document"))
    new_messages = sum(len(addition.new) for addition in additions if addition.dataset not in absent)
    record_counts({"new_messages": new_messages, "documents_read": coda.documents_read})
    if absent:
        problems.append(
            f"Coda {coda.instance}: no dataset {', '.join(map(repr, absent))}; expected each to exist. The other datasets "
            "are done. Have an administrator make the named ones in Coda, with their users and code schemes, or set "
            "CodaUsers in the pipeline configuration and give that to this stage."
        )
    if problems:
        raise ServiceError("\n".join(problems))


def _plan_addition(coda: CodaDatabase, dataset: str, datasets: Datasets, data_root: Path) -> _Addition | None:
    """Find a dataset's messages that Coda may lack, without asking it; None if it lacks none."""
    path = output_file(data_root, datasets.second.get(dataset, dataset))
    if not path.exists():
        log.info("Coda %r: no output file; nothing to add", dataset)
        return None
    candidates = read_message_file(path, _REMEDY)
    problems = find_unknown_codes(candidates, datasets.code_schemes.get(dataset, []))
    if problems:
        raise InputError(f"{path}: {listing(problems)}\nExpected codes of the configuration's code schemes. {_REMEDY}")
    known = load_known_messages(data_root, dataset, coda.instance)
    if dataset in datasets.second and datasets.double_coding is not None:
        chosen = known | load_added_messages(data_root, dataset, coda.instance)
        candidates = choose_second_messages(candidates, chosen, datasets.double_coding)
    new = choose_new_messages(candidates, known)
    if not new:
        log.info("Coda %r: has all of %s already", dataset, count_of(len(candidates), "message"))
        return None
    return _Addition(dataset, candidates, known, new, dataset in datasets.second)


def _check_code_schemes(coda: CodaDatabase, datasets: Datasets, existing: list[str]) -> None:
    """Compare the configured code schemes of the datasets that exist with those that Coda has.

    Raises
    ------
    ConfigurationError
        A scheme that both have is not the same: a label would mean one thing to coders and another here.
    """
    problems = []
    for dataset in existing:
        code_schemes = datasets.code_schemes.get(dataset, [])
        if code_schemes:
            segments = coda.read_code_schemes_of_all_segments(dataset)
            shown = datasets.shown_schemes[dataset]
            for scheme_id, where in find_in_segments(find_absent_schemes, dataset, segments, shown):
                log.warning(
                    "Coda %r: lacks code scheme %r%s: nobody can label with it there", dataset, scheme_id, where
                )
            for odd, where in find_in_segments(find_odd_schemes, dataset, segments, code_schemes):
                log.warning("Coda %r: %s%s; expected in Coda what the plan has", dataset, odd, where)
            different = find_in_segments(find_scheme_differences, dataset, segments, code_schemes)
            problems += [f"dataset {dataset!r}, {text}{where}" for text, where in different]
    if problems:
        raise ConfigurationError(
            f"Coda {coda.instance}: {listing(problems)}\nExpected the code schemes of the configuration. Nothing was added. "
            "Put the code book that coders are to use into both, the file and Coda; then run this again."
        )


def _plan_updates(coda: CodaDatabase, datasets: Datasets, data_root: Path) -> "dict[str, SuggestedLabels]":
    """Find the suggestions for messages that Coda has, by dataset, if the project wants that."""
    if not datasets.are_suggestions_updated:
        return {}
    # Imported here, as few projects ask for it.
    from engagement.labelling.suggestions.updates import plan_update

    now = datetime.now(UTC)
    found = {dataset: plan_update(coda, dataset, data_root, now, _REMEDY) for dataset in datasets.names}
    return {dataset: labels for dataset, labels in found.items() if labels and coda.has_dataset(dataset)}


def _update(coda: CodaDatabase, updates: "dict[str, SuggestedLabels]", data_root: Path) -> list[str]:
    """Give messages that Coda has their suggestions; return what stood in the way."""
    problems: list[str] = []
    for dataset, labels in updates.items():
        from engagement.labelling.suggestions.updates import update

        try:
            update(coda, dataset, labels, data_root, datetime.now(UTC))
        except DatasetError as error:
            problems.append(str(error))
    return problems


def _make(coda: CodaDatabase, addition: _Addition, users: Sequence[str], datasets: Datasets, data_root: Path) -> None:
    coda.create_dataset(addition.dataset, users, datasets.shown_schemes[addition.dataset])
    log.info("Coda %r: made, for %s", addition.dataset, count_of(len(users), "user"))
    # The messages of an earlier dataset are gone with it.
    everything = choose_new_messages(addition.candidates, frozenset())
    _add(coda, replace(addition, known=frozenset(), new=everything), data_root)


def _add(coda: CodaDatabase, addition: _Addition, data_root: Path) -> None:
    added = coda.add_messages(addition.dataset, addition.new, len(addition.known))
    known = addition.known.union(message["MessageID"] for message in addition.new)
    save_known_messages(data_root, addition.dataset, coda.instance, known, addition.is_sample)
    log.info("Coda %r: added %d of %s", addition.dataset, added, count_of(len(addition.candidates), "message"))
