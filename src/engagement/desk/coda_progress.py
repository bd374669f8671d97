"""Show how far coding has got in each dataset in Coda.

One row a dataset: its messages, those that are labelled, labelled as wrong scheme, labelled as not coded, and when the
last label was made (UTC). A label counts when it is the newest of its scheme, checked, and not taken off again. With a
data root, reads only what changed since the last download from Coda, and tells how suggestions did in the last run of
stage 3. With a configuration, warns of labels whose scheme or code it lacks: these are in the table, but nowhere in the
outputs. Nothing is written.
"""

import argparse
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from engagement.foundation.csv_cells import encode_line, guard_line
from engagement.foundation.errors import UsageError, count_of
from engagement.labelling.agreement.double_coding import align_agreement, compare_coders
from engagement.labelling.datasets.datasets import Datasets, coded_file, find_datasets
from engagement.labelling.datasets.downloads import find_start, warn_of_oddities
from engagement.labelling.datasets.known_messages import find_source_instance
from engagement.labelling.datasets.synchronisation import merge_messages
from engagement.labelling.suggestions.results import read_results
from engagement.pipeline.coding.lost_labels import find_lost_labels
from engagement.pipeline.outputs.places import current_outputs
from engagement.services.coda.format import MessageDocument, find_newest_label, read_message_file
from engagement.services.coda.metrics import count_metrics
from engagement.services.coda.protocol import CodaDatabase, open_coda
from engagement.services.credentials import load_credentials

log = logging.getLogger(__name__)

COLUMNS = ("Dataset", "Messages", "Labelled", "Wrong Scheme", "Not Coded", "Last Label Made")
_NOTHING = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("--credentials", type=Path, required=True, help="Coda's credentials (JSON)")
    parser.add_argument(
        "--pipeline-configuration", type=Path, help="pipeline configuration (JSON), to know the datasets from"
    )
    parser.add_argument("--data-root", type=Path, help="folder with all of the pipeline's data")
    parser.add_argument("--csv", action="store_true", help="write a CSV instead of a table for people")


def run(arguments: argparse.Namespace) -> None:
    """Count each dataset's messages and write the table."""
    if arguments.pipeline_configuration is None and arguments.data_root is None:
        raise UsageError(
            "coda-progress: neither --pipeline-configuration nor --data-root was given; expected one, to know the datasets "
            "from. Give either."
        )
    coda = open_coda(load_credentials(arguments.credentials))
    datasets = find_datasets(arguments.data_root, arguments.pipeline_configuration)
    messages = {
        name: _read_messages(coda, name, arguments.data_root) for name in datasets.names if coda.has_dataset(name)
    }
    rows = [_describe(coda, name, messages.get(name), datasets) for name in datasets.names]
    log.info("Coda: read %s", count_of(coda.documents_read, "document"))
    if arguments.csv:
        sys.stdout.writelines(encode_line(guard_line(row)) for row in (COLUMNS, *rows))
    else:
        sys.stdout.write(align([COLUMNS, *([cell or _NOTHING for cell in row] for row in rows)]))
        sys.stdout.writelines(f"{line}\n" for line in _say_agreement(datasets, messages))
        if arguments.data_root is not None:
            results = read_results(current_outputs(arguments.data_root), datasets.names)
            sys.stdout.writelines(["\nSuggestions\n"] * bool(results) + [f"{result.say()}\n" for result in results])


def align(rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows in aligned columns: numbers to the right, first and last column to the left.

    >>> print(align([("Dataset", "Messages", "Last"), ("age", "12", "-")]), end="")
    Dataset  Messages  Last
    age            12  -
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    edges = (0, len(widths) - 1)
    lines = (
        "  ".join(
            cell.ljust(width) if index in edges else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _describe(
    coda: CodaDatabase, dataset: str, messages: Sequence[MessageDocument] | None, datasets: Datasets
) -> list[str]:
    """Make a dataset's row; only its name if Coda lacks it. Warns of labels that count for nothing."""
    if messages is None:
        return [dataset, *[""] * (len(COLUMNS) - 1)]
    last_label = find_newest_label(messages)
    planned = datasets.second.get(dataset, dataset)
    for lost in find_lost_labels(planned, datasets.plans, messages) if datasets.plans is not None else ():
        log.warning("Coda %r: %s", dataset, lost.text)
    return [
        dataset,
        *map(str, count_metrics(messages, coda.read_code_schemes(dataset)).values()),
        "" if last_label is None else last_label.isoformat(timespec="seconds"),
    ]


def _say_agreement(datasets: Datasets, messages: Mapping[str, Sequence[MessageDocument]]) -> Iterator[str]:
    """Tell how far the two coders of each dataset agree, in all and week by week."""
    plans = {plan.coda_dataset: plan for plan in (datasets.plans.all if datasets.plans is not None else ())}
    for second, first in datasets.second.items():
        for configuration in plans[first].coding_configurations:
            scheme = configuration.code_scheme
            twice = compare_coders(messages.get(first, ()), messages.get(second, ()), scheme)
            if twice is not None:
                yield ""
                yield f"{first}, {scheme.name}: how far its two coders agree"
                yield from align_agreement([("all", twice.codings), *twice.by_week()])


def _read_messages(coda: CodaDatabase, dataset: str, data_root: Path | None) -> list[MessageDocument]:
    """Get a dataset's messages: those downloaded before from this Coda, and the changes since."""
    previous: list[MessageDocument] = []
    if data_root is not None and find_source_instance(data_root, dataset) == coda.instance:
        path = coded_file(data_root, dataset)
        if path.exists():
            previous = read_message_file(path, "Download it again: run stage 1 with --full.")
    since = find_start(data_root, dataset, previous) if data_root is not None and previous else None
    download = coda.download(dataset, since)
    warn_of_oddities(dataset, download)
    return merge_messages(previous, download.messages)
