"""Find labels that a changed configuration would lose: their SchemeID, CodeID or dataset is gone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engagement.configuration import CodingPlans
from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json
from engagement.labelling.datasets.datasets import coded_file
from engagement.labelling.datasets.unread_files import find_unread_files
from engagement.pipeline.coding.labels import is_labelled
from engagement.pipeline.coding.lost_labels import LostKind, LostLabels, find_lost_labels
from engagement.services.coda.format import MessageDocument


@dataclass(frozen=True)
class LabelsLost:
    """Labels of a dataset that would no longer count: the number of messages with them, and the reason."""

    dataset: str
    scheme_id: str | None
    code_id: str | None
    messages: int
    text: str


def compare_labels(old: CodingPlans, new: CodingPlans, data_root: Path) -> Iterator[LabelsLost]:
    """Find each dataset's labels that the old plans read and the new ones do not; not those lost before."""
    unread = {path.stem for path in find_unread_files(data_root, new)}
    for plan in old.all:
        dataset = plan.coda_dataset
        if dataset is None or not coded_file(data_root, dataset).exists():
            continue
        messages = read_json(coded_file(data_root, dataset), InputError, what="a Coda file")
        if dataset in unread:
            labelled = sum(is_labelled(m["Labels"]) for m in messages)
            if labelled:
                text = (
                    f"{labelled} message(s) are labelled in it, and no plan would have its CodaFilename; keep the name."
                )
                yield LabelsLost(dataset, None, None, labelled, text)
            continue
        before = _find_lost(dataset, old, messages)
        for key, lost in _find_lost(dataset, new, messages).items():
            if key not in before or lost.count > before[key].count:
                yield LabelsLost(dataset, lost.scheme_id, lost.code_id, lost.count, lost.text)


def _find_lost(
    dataset: str, plans: CodingPlans, messages: list[MessageDocument]
) -> Mapping[tuple[LostKind, str, str | None], LostLabels]:
    return {(lost.kind, lost.scheme_id, lost.code_id): lost for lost in find_lost_labels(dataset, plans, messages)}
