"""Stage 4: add the messages that people should label to Coda.

Adds what <data-root>/Outputs/Coda Files/<dataset>.json has and Coda lacks; a message that Coda has is never touched. A
dataset that does not exist in Coda is made when the pipeline configuration names CodaUsers.
"""

import argparse
import logging
from pathlib import Path

from engagement.coding.coda_sync import choose_new_messages
from engagement.errors import ServiceError
from engagement.services.coda import CodaDatabase, open_coda
from engagement.services.coda_format import read_message_file
from engagement.services.credentials import load_credentials
from engagement.stages.coda_datasets import Datasets, find_datasets, output_file
from engagement.stages.coda_known import KnownMessages, load_known_messages, save_known_messages

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    parser.add_argument("--credentials", type=Path, required=True, help="Coda's credentials (JSON)")
    parser.add_argument("--data-root", type=Path, required=True, help="folder with all of the pipeline's data")
    parser.add_argument(
        "--pipeline-configuration", type=Path, help="pipeline configuration (JSON), to know datasets and users from"
    )


def run(arguments: argparse.Namespace) -> None:
    """Add each dataset's new messages; then name the datasets that can't be added to."""
    coda = open_coda(load_credentials(arguments.credentials))
    datasets = find_datasets(arguments.data_root, arguments.pipeline_configuration)
    absent = [name for name in datasets.names if not _add_dataset(coda, name, datasets, arguments.data_root)]
    if absent:
        raise ServiceError(
            f"Coda: no dataset {', '.join(map(repr, absent))}; expected each to exist. The other datasets are done. "
            "Make the named ones in Coda, or set CodaUsers in the pipeline configuration and give that to this stage."
        )


def _add_dataset(coda: CodaDatabase, dataset: str, datasets: Datasets, data_root: Path) -> bool:
    """Add a dataset's new messages; False if Coda lacks the dataset and it can't be made."""
    path = output_file(data_root, dataset)
    if not path.exists():
        log.info("Coda %r: no output file; nothing to add", dataset)
        return True
    candidates = read_message_file(path, "Generate the outputs again.")
    known = load_known_messages(data_root, dataset, coda.instance)
    if not choose_new_messages(candidates, known.message_ids):
        log.info("Coda %r: has all of %d messages already", dataset, len(candidates))
        return True
    if not coda.has_dataset(dataset):
        if not datasets.users:
            return False
        coda.create_dataset(dataset, datasets.users, datasets.code_schemes[dataset])
        log.info("Coda %r: made, for %d users", dataset, len(datasets.users))
        known = KnownMessages()
    known = known.with_updates(coda.read_messages(dataset, known.newest_update))
    new = choose_new_messages(candidates, known.message_ids)
    added = coda.add_messages(dataset, new) if new else 0
    save_known_messages(data_root, dataset, coda.instance, known.with_added(new))
    log.info("Coda %r: added %d of %d messages", dataset, added, len(candidates))
    return True
