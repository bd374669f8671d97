"""Download new messages and labels of every dataset from Coda.

Writes <data-root>/Coded Coda Files/<dataset>.json for each dataset of the project. Where that file exists already, only
the messages that were updated since are downloaded. A dataset that does not exist in Coda yet is skipped. One that can't be
downloaded stops this stage only after the others are done. Documents that are no messages are named and set aside.
"""

import argparse
import logging
from datetime import UTC, datetime
from pathlib import Path

from engagement.foundation.errors import InputError, PipelineError, count_of, listing
from engagement.foundation.files import make_directory
from engagement.foundation.run_report import record_counts
from engagement.labelling.datasets.coded_text import write_messages
from engagement.labelling.datasets.datasets import Datasets, coded_file
from engagement.labelling.datasets.downloads import (
    find_start,
    is_as_written,
    record_moment,
    record_reading,
    warn_of_oddities,
)
from engagement.labelling.datasets.known_datasets import KnownDatasets
from engagement.labelling.datasets.known_messages import NO_INSTANCE, find_source_instance, record_source_instance
from engagement.labelling.datasets.synchronisation import merge_messages
from engagement.services.coda.dataset_errors import DatasetError
from engagement.services.coda.format import MessageDocument, read_message_documents, read_message_file
from engagement.services.coda.labels import is_labelled
from engagement.services.coda.protocol import CodaDatabase, open_coda
from engagement.services.credentials import load_credentials

log = logging.getLogger(__name__)

_REMEDY = "Run this with --full to download the dataset again."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    parser.add_argument("--credentials", type=Path, required=True, help="Coda's credentials (JSON)")
    parser.add_argument("--data-root", type=Path, required=True, help="folder with all of the pipeline's data")
    parser.add_argument(
        "--pipeline-configuration", type=Path, help="pipeline configuration (JSON), to know the datasets from"
    )
    parser.add_argument("--full", action="store_true", help="download everything again; drops messages deleted in Coda")


def run(arguments: argparse.Namespace) -> None:
    """Find the project's datasets and bring each one's file up to date."""
    coda = open_coda(load_credentials(arguments.credentials))
    known = KnownDatasets(arguments.data_root, arguments.pipeline_configuration)
    try:
        _bring_up_to_date(coda, known, arguments.data_root, arguments.full)
    finally:
        known.tell_warnings()


def _bring_up_to_date(coda: CodaDatabase, known: KnownDatasets, data_root: Path, full: bool) -> None:
    begun, datasets = datetime.now(UTC), known.datasets
    problems: list[PipelineError] = []
    progress = {"coda_messages": 0, "labelled_messages": 0}
    set_aside = 0
    for dataset in datasets.names:
        try:
            if coda.has_dataset(dataset):
                messages, odd = _download(coda, dataset, data_root, full)
                set_aside += odd
                for text in known.find_lost_labels(dataset, messages):
                    log.warning("Coda %r: %s", dataset, text)
                if dataset not in datasets.second:
                    progress["coda_messages"] += len(messages)
                    progress["labelled_messages"] += sum(is_labelled(message["Labels"]) for message in messages)
            else:
                log.info("Coda %r: does not exist yet; skipped", dataset)
        except (DatasetError, InputError) as error:
            # The others are worth having; a Coda that can't be reached is not asked again and again.
            problems.append(error)
    for first in datasets.second.values():
        try:
            _warn_of_missed_withdrawals(first, datasets, data_root)
        except InputError as error:
            # A file that could not be read before is a problem already.
            if str(error) not in map(str, problems):
                problems.append(error)
    log.info("Coda: read %s", count_of(coda.documents_read, "document"))
    record_counts(
        {
            "datasets": len(datasets.names),
            "documents_read": coda.documents_read,
            "documents_set_aside": set_aside,
            **progress,
        }
    )
    if datasets.is_reading_noted and not problems:
        record_reading(data_root, begun)
    known.keep()
    if problems:
        raise type(problems[0])("\n".join(map(str, problems)))


def _warn_of_missed_withdrawals(dataset: str, datasets: Datasets, data_root: Path) -> None:
    """Warn of withdrawals that only the second coder saw: these people are still in the outputs."""
    # Imported here, as few projects have second coders, and measuring agreement needs numpy.
    from engagement.labelling.agreement.double_coding import find_missed_withdrawals

    plans = datasets.plans.all if datasets.plans is not None else ()
    plan = next(plan for plan in plans if plan.coda_dataset == dataset)
    for configuration in plan.coding_configurations:
        missed = find_missed_withdrawals(data_root, dataset, configuration.code_scheme)
        if missed:
            log.warning(
                "Coda %r: only the second coder labelled %s STOP, so that nobody is taken out: %s. Label them in Coda, or adjudicate.",
                dataset,
                count_of(len(missed), "message"),
                listing(missed),
            )


def _download(coda: CodaDatabase, dataset: str, data_root: Path, full: bool) -> tuple[list[MessageDocument], int]:
    """Update one dataset's file; leave it alone if nothing changed.

    Returns its messages, and the number of documents set aside.
    """
    path = coded_file(data_root, dataset)
    if find_source_instance(data_root, dataset) not in (None, coda.instance):
        log.info("Coda %r: the file at hand is from another Coda; downloading everything", dataset)
        full = True
        # Before the file is replaced: after a kill it must not pass for the content of either Coda.
        record_source_instance(data_root, dataset, NO_INSTANCE)
    as_written = is_as_written(data_root, dataset)
    previous = _read_previous(path, full, as_written)
    continued = [] if full or previous is None else previous
    download = coda.download(dataset, find_start(data_root, dataset, continued, as_written) if continued else None)
    messages = merge_messages(continued, download.messages)
    warn_of_oddities(dataset, download)
    if messages != previous:
        make_directory(path.parent)
        write_messages(path, messages, continued if as_written else ())
    record_moment(data_root, dataset, download.moment)
    record_source_instance(data_root, dataset, coda.instance)
    log.info("Coda %r: downloaded %d of %s", dataset, len(download.messages), count_of(len(messages), "message"))
    return messages, len(download.set_aside)


def _read_previous(path: Path, full: bool, as_written: bool) -> list[MessageDocument] | None:
    """Read the file's messages; None if there is no file, or a damaged one that is about to be replaced."""
    if not path.exists():
        return None
    try:
        if as_written:
            # Its messages were looked at when they came.
            return read_message_documents(path, _REMEDY)
        return read_message_file(path, _REMEDY)
    except InputError:
        if full:
            return None
        raise
