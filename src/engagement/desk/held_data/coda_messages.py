"""A person's texts in the files of Coda messages, with what coders labelled them.

A message in Coda is a text, whoever wrote it. Those that others wrote too stay, for they are theirs as well.
"""

from collections.abc import Iterator

from engagement.desk.held_data.person import PersonSearch
from engagement.desk.held_data.place import HeldItem
from engagement.labelling.datasets.removal import dataset_files, find_known_ids, find_messages, remove_messages

SHARED = "others wrote the same text; only its time in Coda may be theirs"


def find_coda_messages(search: PersonSearch) -> Iterator[HeldItem]:
    """Find their texts and labels in the files of datasets, and the texts' ids in State/coda/."""
    texts = search.texts
    for dataset, own in texts.own.items():
        everything = own | texts.shared[dataset]
        for path in dataset_files(search.data_root, dataset):
            for message in find_messages(path, everything):
                stays = SHARED if message["MessageID"] in texts.shared[dataset] else ""
                yield HeldItem(search.name_of(path), "text in Coda", message, stays)
        for path, message_id in find_known_ids(search.data_root, dataset, own):
            yield HeldItem(search.name_of(path), "id of a text in Coda", {"MessageID": message_id})


def remove_coda_messages(search: PersonSearch) -> None:
    """Remove the texts that only they wrote from these files."""
    for dataset, own in search.texts.own.items():
        remove_messages(search.data_root, dataset, own)


def remove_from_coda(search: PersonSearch) -> None:
    """Remove the texts that only they wrote from the datasets in Coda."""
    if search.coda is None:
        return
    for dataset, own in search.texts.own.items():
        if own and search.coda.has_dataset(dataset):
            search.coda.remove_messages(dataset, own)
