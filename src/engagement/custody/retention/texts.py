"""Texts that are meant to go, by dataset, and those of them that stay.

Those stay that are in other lines, too. Meant are the lines of one person who asked, or those that are over age.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engagement.configuration import Project
from engagement.configuration.double_coding import second_dataset
from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.labelling.datasets.datasets import coded_file
from engagement.labelling.datasets.removal import dataset_files, find_messages, find_texts
from engagement.pipeline.coding.coded_datasets import message_id_of
from engagement.pipeline.coding.wrong_scheme import SEPARATOR
from engagement.provenance import read_traced_data


@dataclass(frozen=True)
class FoundTexts:
    """Ids of messages in Coda, by dataset.

    `own` are those that no other line has; `shared` those that others have too.
    """

    own: Mapping[str, frozenset[str]]
    shared: Mapping[str, frozenset[str]]


def raw_files(data_root: Path) -> list[Path]:
    """List the files of raw data."""
    return sorted((data_root / "Raw Data").glob("*.jsonl"))


def read_texts(project: Project, data_root: Path, is_meant: Callable[[Mapping[str, object]], bool]) -> FoundTexts:
    """Read Raw Data, and sort the texts of the lines that are meant.

    Also those that stage 3 joined with others of the same person. A text counts for the dataset of its question; one that coders marked as of the wrong dataset may count for any.
    """
    keys = _datasets_by_key(project)
    meant: dict[str, str] = {}
    people: set[object] = set()
    for values in _read_values(data_root):
        if is_meant(values):
            people.add(values.get(PARTICIPANT_KEY))
            meant |= {text: message_id_of(text) for _, text in _texts_of(values, keys)}
    datasets = sorted({dataset for found in keys.values() for dataset in found})
    others: dict[str, set[str]] = {dataset: set() for dataset in datasets}
    # Of whoever wrote one that is meant, all: stage 3 may have joined them.
    of_each: dict[object, set[str]] = {}
    for values in _read_values(data_root) if meant else ():
        if not is_meant(values):
            participant = values.get(PARTICIPANT_KEY)
            for found, text in _texts_of(values, keys):
                if text in meant or participant in people:
                    of_each.setdefault(participant, set()).add(text)
                if text in meant:
                    for dataset in found:
                        others[dataset].add(meant[text])
    moved = _find_moved(project, data_root, others)
    everything = frozenset(meant.values())
    parts = meant.keys() | {text for participant in people for text in of_each.get(participant, ())}
    own, shared = {}, {}
    for dataset in datasets:
        joined = _find_joined(data_root, dataset, meant.keys(), parts)
        of_others = {one for one, text in joined.items() if any(_is_made_of(text, texts) for texts in of_each.values())}
        shared[dataset] = frozenset(others[dataset] | moved | of_others)
        own[dataset] = (everything | joined.keys()) - shared[dataset]
    return FoundTexts(own, shared)


def _find_joined(data_root: Path, dataset: str, meant: Collection[str], parts: Collection[str]) -> dict[str, str]:
    """Find messages that stage 3 joined from several of these parts, by id."""
    names = (dataset, second_dataset(dataset)) if meant else ()
    return {
        message["MessageID"]: message["Text"]
        for name in names
        for path in dataset_files(data_root, name)
        for message in find_texts(path, SEPARATOR)
        if message["Text"] not in parts and _is_made_of(message["Text"], parts)
    }


def _is_made_of(joined: str, texts: Collection[str]) -> bool:
    if joined in texts:
        return True
    end = joined.find(SEPARATOR)
    while end != -1:
        if joined[:end] in texts and _is_made_of(joined[end + len(SEPARATOR) :], texts):
            return True
        end = joined.find(SEPARATOR, end + 1)
    return False


def _datasets_by_key(project: Project) -> dict[str, list[str]]:
    """Map keys of raw data to the datasets that their texts are labelled in."""
    datasets: dict[str, list[str]] = {}
    for plan in project.coding_plans.all:
        if plan.coda_dataset is not None:
            datasets.setdefault(plan.raw_field, []).append(plan.coda_dataset)
    return {
        remapping.rapid_pro_key: datasets[remapping.pipeline_key]
        for remapping in project.configuration.rapid_pro_key_remappings
        if remapping.pipeline_key in datasets
    }


def _read_values(data_root: Path) -> Iterator[Mapping[str, object]]:
    for path in raw_files(data_root):
        yield from (record.values for record in read_traced_data(path))


def _texts_of(values: Mapping[str, object], keys: Mapping[str, list[str]]) -> Iterator[tuple[list[str], str]]:
    for key, text in values.items():
        if key in keys and isinstance(text, str):
            yield keys[key], text


def _find_moved(project: Project, data_root: Path, others: Mapping[str, Collection[str]]) -> set[str]:
    """Find messages that others wrote too, and that coders labelled there as of another dataset."""
    scheme = project.coding_plans.ws_correct_dataset_scheme
    if scheme is None:
        return set()
    return {
        message["MessageID"]
        for dataset, message_ids in others.items()
        if message_ids and coded_file(data_root, dataset).exists()
        for message in find_messages(coded_file(data_root, dataset), message_ids)
        if any(label["SchemeID"].startswith(scheme.scheme_id) for label in message["Labels"])
    }
