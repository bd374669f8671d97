"""Stage 1: download the messages that people labelled in Coda.

Writes <data-root>/Coded Coda Files/<dataset>.json for each dataset of the project. Where that file exists already, only
the messages that were updated since are downloaded. A dataset that does not exist in Coda yet is skipped.
"""

import argparse
import logging
from pathlib import Path

from engagement.coding.coda_sync import merge_messages
from engagement.files import make_directory, write_json
from engagement.services.coda import CodaDatabase, open_coda
from engagement.services.coda_format import find_newest_update, read_message_file
from engagement.services.credentials import load_credentials
from engagement.stages.coda_datasets import coded_file, find_datasets
from engagement.stages.coda_known import NO_INSTANCE, find_source_instance, record_source_instance

log = logging.getLogger(__name__)

_REMEDY = "Run this with --full to download the dataset anew."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    parser.add_argument("--credentials", type=Path, required=True, help="Coda's credentials (JSON)")
    parser.add_argument("--data-root", type=Path, required=True, help="folder with all of the pipeline's data")
    parser.add_argument(
        "--pipeline-configuration", type=Path, help="pipeline configuration (JSON), to know the datasets from"
    )
    parser.add_argument("--full", action="store_true", help="download everything anew; drops messages deleted in Coda")


def run(arguments: argparse.Namespace) -> None:
    """Find the project's datasets and bring each one's file up to date."""
    coda = open_coda(load_credentials(arguments.credentials))
    for dataset in find_datasets(arguments.data_root, arguments.pipeline_configuration).names:
        if coda.has_dataset(dataset):
            _download(coda, dataset, arguments.data_root, arguments.full)
        else:
            log.info("Coda %r: does not exist yet; skipped", dataset)


def _download(coda: CodaDatabase, dataset: str, data_root: Path, full: bool) -> None:
    """Bring one dataset's file up to date; it is not written when nothing changed."""
    path = coded_file(data_root, dataset)
    if find_source_instance(data_root, dataset) not in (None, coda.instance):
        log.info("Coda %r: the file at hand is from another Coda; downloading everything", dataset)
        full = True
        # Before the file is replaced: after a kill it must not pass for the content of either of the two.
        record_source_instance(data_root, dataset, NO_INSTANCE)
    previous = [] if full or not path.exists() else read_message_file(path, _REMEDY)
    downloaded = coda.read_messages(dataset, find_newest_update(previous))
    messages = merge_messages(previous, downloaded)
    if full or messages != previous or not path.exists():
        make_directory(path.parent)
        write_json(path, messages)
    record_source_instance(data_root, dataset, coda.instance)
    log.info("Coda %r: downloaded %d of %d messages", dataset, len(downloaded), len(messages))
