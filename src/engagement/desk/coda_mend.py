"""Mend datasets in Coda that have a message twice: keep one copy, with the labels of all.

Reads the project's datasets whole, which Firestore bills, and says what it found. Changes nothing without --yes. No label
is lost: the copy in the first segment gets those of all. Safe while people label.
"""

import argparse
import logging
import sys
from pathlib import Path

from engagement.labelling.datasets.datasets import find_datasets
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import load_credentials

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("--credentials", type=Path, required=True, help="Coda's credentials (JSON)")
    parser.add_argument(
        "--pipeline-configuration",
        type=Path,
        required=True,
        help="pipeline configuration (JSON), to know the datasets from",
    )
    parser.add_argument("--yes", action="store_true", help="make the changes")


def run(arguments: argparse.Namespace) -> None:
    """Find the copies of each dataset, say where they are, and join them if told to."""
    coda = open_coda(load_credentials(arguments.credentials))
    found = False
    for dataset in find_datasets(None, arguments.pipeline_configuration).names:
        copies = coda.download(dataset).copies if coda.has_dataset(dataset) else {}
        for message_id, segments in copies.items():
            found = True
            sys.stdout.write(f"{dataset}: message {message_id} is in segments {', '.join(segments)}\n")
        if copies and arguments.yes:
            coda.join_copies(dataset, copies)
            sys.stdout.write(f"{dataset}: joined the copies of {len(copies)} message(s)\n")
    if not found:
        sys.stdout.write("Each message is there once; there is nothing to mend.\n")
    elif not arguments.yes:
        sys.stdout.write("Nothing was changed. Run this again with --yes to join the labels and delete the copies.\n")
    log.info("Coda: read %d documents", coda.documents_read)
