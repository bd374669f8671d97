"""What coders said, as it was downloaded, compared with the coding plans: labels and files that nobody reads."""

from collections.abc import Iterator
from pathlib import Path

from engagement.checks.places import placed_plans
from engagement.coding.lost_labels import find_lost_labels
from engagement.configuration import CodingPlans
from engagement.configuration.problems import Problem
from engagement.services.coda_format import read_message_file
from engagement.sources.coda_datasets import coded_file

_REMEDY = "Download it anew: run stage 1 with --full."


def find_label_warnings(plans: CodingPlans, data_root: Path) -> Iterator[Problem]:
    """Labels that count for nothing, with counts of messages.

    Raises
    ------
    InputError
        A file is damaged.
    """
    for at, plan in placed_plans(plans):
        if plan.coda_dataset is None:
            continue
        path = coded_file(data_root, plan.coda_dataset)
        if path.exists():
            for lost in find_lost_labels(plan.coda_dataset, plans, read_message_file(path, _REMEDY)):
                yield Problem(f"{at}.CodaFilename", f"dataset {plan.coda_dataset!r}: {lost.text}")
