"""Compare the downloaded labels with the coding plans, to find labels and files that nobody reads."""

from collections.abc import Iterator
from pathlib import Path

from engagement.configuration import CodingPlans
from engagement.configuration.plan_places import placed_plans
from engagement.configuration.problems import AtStake, Problem
from engagement.labelling.datasets.datasets import coded_file
from engagement.labelling.datasets.unread_files import describe_unread_decisions, describe_unread_files
from engagement.pipeline.coding.labels import is_labelled
from engagement.pipeline.coding.lost_labels import find_lost_labels
from engagement.services.coda.format import read_message_file

_REMEDY = "Download it again: run stage 1 with --full."


def find_label_warnings(plans: CodingPlans, data_root: Path) -> Iterator[Problem]:
    """Find labels that count for nothing, with counts of messages, and files that no plan reads.

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
                stake = None if lost.other_scheme_id is None else AtStake(lost.other_scheme_id)
                yield Problem(f"{at}.CodaFilename", f"dataset {plan.coda_dataset!r}: {lost.text}", at_stake=stake)
    for path, said in describe_unread_files(data_root, plans):
        messages = read_message_file(path, _REMEDY)
        labelled = sum(is_labelled(message["Labels"]) for message in messages)
        yield Problem("$", f"{path}: {labelled} of its {len(messages)} message(s) are labelled, but {said}")
    for path, said in describe_unread_decisions(data_root, plans):
        yield Problem("$", f"{path}: {said}")
