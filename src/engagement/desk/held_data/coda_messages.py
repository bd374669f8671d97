"""A person's texts in the files of Coda messages, with what coders labelled them.

A message in Coda is a text, whoever wrote it. Those that others wrote too stay, for they are theirs as well.
"""

from collections.abc import Iterator
from dataclasses import asdict

from engagement.configuration.double_coding import second_dataset
from engagement.desk.held_data.person import PersonSearch
from engagement.desk.held_data.place import HeldItem
from engagement.labelling.datasets.adjudications import adjudications_file, read_decisions, remove_decisions
from engagement.labelling.datasets.removal import dataset_files, find_known_ids, find_messages, remove_messages

SHARED = "others wrote the same text; only its time in Coda may be theirs"


def find_coda_messages(search: PersonSearch) -> Iterator[HeldItem]:
    """Find their texts and labels in the files of datasets, and the texts' ids in State/coda/."""
    for dataset, own, shared in _datasets(search):
        for path in dataset_files(search.data_root, dataset):
            for message in find_messages(path, own | shared):
                stays = SHARED if message["MessageID"] in shared else ""
                yield HeldItem(search.name_of(path), "text in Coda", message, stays)
        for path, message_id in find_known_ids(search.data_root, dataset, own):
            yield HeldItem(search.name_of(path), "id of a text in Coda", {"MessageID": message_id})


def remove_coda_messages(search: PersonSearch) -> None:
    """Remove the texts that only they wrote from these files."""
    for dataset, own, _ in _datasets(search):
        remove_messages(search.data_root, dataset, own)


def remove_from_coda(search: PersonSearch) -> None:
    """Remove the texts that only they wrote from the datasets in Coda."""
    if search.coda is None:
        return
    for dataset, own, _ in _datasets(search):
        if own and search.coda.has_dataset(dataset):
            search.coda.remove_messages(dataset, own)


def find_decisions(search: PersonSearch) -> Iterator[HeldItem]:
    """Find what was decided on their texts where two coders disagreed."""
    for dataset, own in search.texts.own.items():
        shared = search.texts.shared[dataset]
        for decision in read_decisions(search.data_root, dataset).values():
            if decision.message_id in own | shared:
                stays = SHARED if decision.message_id in shared else ""
                path = adjudications_file(search.data_root, dataset)
                yield HeldItem(search.name_of(path), "decision on labels", asdict(decision), stays)


def remove_decisions_on_texts(search: PersonSearch) -> None:
    """Remove the decisions on texts that only they wrote."""
    for dataset, own in search.texts.own.items():
        remove_decisions(search.data_root, dataset, own)


def _datasets(search: PersonSearch) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    """Yield datasets with the ids of texts that only they wrote, and of those that others wrote too.

    Second coders' datasets have the same messages under the same ids.
    """
    for dataset, own in search.texts.own.items():
        for name in (dataset, second_dataset(dataset)):
            yield name, own, search.texts.shared[dataset]
