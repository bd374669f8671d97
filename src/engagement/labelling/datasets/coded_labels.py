"""Load the labels in Coded Coda Files/, and find those of them that count for nothing."""

import itertools
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engagement.configuration import Project
from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json
from engagement.labelling.datasets.adjudications import apply_decisions, read_decisions
from engagement.labelling.datasets.unread_files import describe_unread_decisions, describe_unread_files
from engagement.pipeline.coding.coded_datasets import CODA_FILE_REMEDY, CodedDataset, check_coda_messages
from engagement.pipeline.coding.lost_labels import LostLabels

log = logging.getLogger(__name__)


def load_coded_datasets(
    project: Project, data_root: Path
) -> tuple[dict[str, CodedDataset], dict[str, list[LostLabels]]]:
    """Load the datasets by raw field, and by dataset the labels that count for nothing.

    Each kind of label that counts for nothing is a warning.

    A dataset without a Coda file is not coded yet.

    Raises
    ------
    InputError
        With everything that is wrong with any of the files.
    """
    datasets: dict[str, CodedDataset] = {}
    lost: dict[str, list[LostLabels]] = {}
    problems, missing = [], []
    for plan in project.coding_plans.all:
        if plan.coda_filename is None:
            continue
        path = data_root / "Coded Coda Files" / plan.coda_filename
        messages: Sequence[Mapping[str, Any]] = ()
        if not path.exists():
            missing.append(str(plan.coda_dataset))
        else:
            try:
                messages = _read_messages(path)
                decisions = read_decisions(data_root, str(plan.coda_dataset))
                schemes = [configuration.code_scheme for configuration in plan.coding_configurations]
                messages = apply_decisions(messages, decisions, schemes)
            except InputError as error:
                problems.append(str(error))
        datasets[plan.raw_field] = CodedDataset(plan, project.coding_plans.ws_correct_dataset_scheme, messages)
        if found := datasets[plan.raw_field].warn_of_lost_labels(project.coding_plans):
            lost[str(plan.coda_dataset)] = found
    if problems:
        raise InputError("\n".join(problems))
    unread = (
        describe(data_root, project.coding_plans) for describe in (describe_unread_files, describe_unread_decisions)
    )
    for path, said in itertools.chain(*unread):
        log.warning("%s: %s", path, said)
    if missing:
        log.info("Nothing is coded yet in %d of %d dataset(s): %s", len(missing), len(datasets), ", ".join(missing))
    return datasets, lost


def _read_messages(path: Path) -> Sequence[Mapping[str, Any]]:
    document = read_json(path, InputError, what="a Coda file", remedy=CODA_FILE_REMEDY)
    return check_coda_messages(document, str(path))
