"""Stage 1: download the messages that people labelled in Coda.

Writes <data-root>/Coded Coda Files/<dataset>.json for each dataset of the project. Where that file exists already, only
the messages that were updated since are downloaded. A dataset that does not exist in Coda yet is skipped.
"""

import argparse
import logging
from pathlib import Path

from engagement.foundation.errors import InputError
from engagement.foundation.files import make_directory, write_json
from engagement.foundation.run_report import record_counts
from engagement.labelling.datasets.datasets import Datasets, coded_file, find_datasets
from engagement.labelling.datasets.known_messages import NO_INSTANCE, find_source_instance, record_source_instance
from engagement.labelling.datasets.synchronisation import count_copies, merge_messages
from engagement.pipeline.coding.lost_labels import find_lost_labels
from engagement.services.coda.format import MessageDocument, find_newest_update, read_message_file
from engagement.services.coda.metrics import count_metrics
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
    datasets = find_datasets(arguments.data_root, arguments.pipeline_configuration)
    progress = {"coda_messages": 0, "labelled_messages": 0}
    for dataset in datasets.names:
        if coda.has_dataset(dataset):
            messages = _download(coda, dataset, arguments.data_root, arguments.full)
            _warn_of_lost_labels(dataset, messages, datasets)
            metrics = count_metrics(messages, ())
            progress["coda_messages"] += metrics["messages_count"]
            progress["labelled_messages"] += metrics["messages_with_label"]
        else:
            log.info("Coda %r: does not exist yet; skipped", dataset)
    log.info("Coda: read %d documents", coda.documents_read)
    record_counts({"datasets": len(datasets.names), "documents_read": coda.documents_read, **progress})


def _download(coda: CodaDatabase, dataset: str, data_root: Path, full: bool) -> list[MessageDocument]:
    """Update one dataset's file, and give its messages; leave the file alone if nothing changed."""
    path = coded_file(data_root, dataset)
    if find_source_instance(data_root, dataset) not in (None, coda.instance):
        log.info("Coda %r: the file at hand is from another Coda; downloading everything", dataset)
        full = True
        # Before the file is replaced: after a kill it must not pass for the content of either Coda.
        record_source_instance(data_root, dataset, NO_INSTANCE)
    previous = _read_previous(path, full)
    continued = [] if full or previous is None else previous
    downloaded = coda.read_messages(dataset, find_newest_update(continued))
    messages = merge_messages(continued, downloaded)
    copies = count_copies(downloaded)
    if copies:
        log.warning(
            "Coda %r: %d message(s) are there twice; expected each once. Kept the copy that a coder labelled, or "
            "labelled last. Have an administrator delete the others, and add messages with one tool only.",
            dataset,
            copies,
        )
    if messages != previous:
        make_directory(path.parent)
        write_json(path, messages)
    record_source_instance(data_root, dataset, coda.instance)
    log.info("Coda %r: downloaded %d of %d messages", dataset, len(downloaded), len(messages))
    return messages


def _read_previous(path: Path, full: bool) -> list[MessageDocument] | None:
    """Read the file's messages; None if there is no file, or a damaged one that is about to be replaced."""
    if not path.exists():
        return None
    try:
        return read_message_file(path, _REMEDY)
    except InputError:
        if full:
            return None
        raise


def _warn_of_lost_labels(dataset: str, messages: list[MessageDocument], datasets: Datasets) -> None:
    if datasets.plans is not None:
        for lost in find_lost_labels(dataset, datasets.plans, messages):
            log.warning("Coda %r: %s", dataset, lost.text)
