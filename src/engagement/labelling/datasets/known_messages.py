"""Local knowledge of a Coda instance, which saves reads from it.

Stages 1 and 4 may use different instances, for example a copy to download from. A downloaded file only says what its
own instance has, so we record which one that is. For any other instance, its message ids are kept separately.

    State/coda/coded_file_instances.json      which instance each coded file was downloaded from
    State/coda/<instance>/<dataset>.json      ids of messages that a dataset of another instance, or of second coders, is known to have

If two copies of a stage use one data root, which the run scripts prevent, their writes come one after the other.
"""

from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from engagement.foundation.files import hold_directory, read_json, write_json
from engagement.labelling.datasets.datasets import coded_file
from engagement.services.coda.format import read_message_file

NO_INSTANCE = ""
"""Placeholder source for a coded file that is about to be replaced by one from another instance."""

_STATE_VERSION = 1
_REMEDY = "Download the dataset again: run stage 1 with --full."


def load_known_messages(data_root: Path, dataset: str, instance: str) -> frozenset[str]:
    """Return the message ids known to be in the instance, from its own coded file or from State/."""
    if _is_coded_file_of(instance, data_root, dataset):
        messages = read_message_file(coded_file(data_root, dataset), _REMEDY)
        return frozenset(message["MessageID"] for message in messages)
    return load_added_messages(data_root, dataset, instance)


def load_added_messages(data_root: Path, dataset: str, instance: str) -> frozenset[str]:
    """Return the message ids in State/: of a second coders' dataset, all that it was ever known to have."""
    return frozenset(read_state(_known_messages_file(data_root, dataset, instance)).get("MessageIDs", ()))


def save_known_messages(
    data_root: Path, dataset: str, instance: str, message_ids: Set[str], is_sample: bool = False
) -> None:
    """Save the ids known to be in the instance, unless its coded file has them.

    Those of a sample are always saved: until the next download, the coded file lacks what was added last.
    """
    if is_sample or not _is_coded_file_of(instance, data_root, dataset):
        path = _known_messages_file(data_root, dataset, instance)
        with hold_directory(path.parent):
            write_state(path, {"MessageIDs": sorted(message_ids)})


def find_source_instance(data_root: Path, dataset: str) -> str | None:
    """Return the instance that a dataset's coded file came from; None if unknown."""
    instance: str | None = read_state(_source_instances_file(data_root)).get("Instances", {}).get(dataset)
    return instance


def record_source_instance(data_root: Path, dataset: str, instance: str) -> None:
    """Record the instance that a dataset's coded file came from."""
    path = _source_instances_file(data_root)
    with hold_directory(path.parent):
        instances = read_state(path).get("Instances", {})
        if instances.get(dataset) != instance:
            write_state(path, {"Instances": {**instances, dataset: instance}})


def _is_coded_file_of(instance: str, data_root: Path, dataset: str) -> bool:
    return find_source_instance(data_root, dataset) == instance and coded_file(data_root, dataset).exists()


def _source_instances_file(data_root: Path) -> Path:
    return data_root / "State" / "coda" / "coded_file_instances.json"


def _known_messages_file(data_root: Path, dataset: str, instance: str) -> Path:
    return data_root / "State" / "coda" / instance / f"{dataset}.json"


def read_state(path: Path) -> dict[str, Any]:
    """Read a file of State/.

    A missing file, or one of another version, counts as empty, and costs a full download.
    """
    document = read_json(path) if path.exists() else {}
    return document if isinstance(document, dict) and document.get("Version") == _STATE_VERSION else {}


def write_state(path: Path, document: Mapping[str, Any]) -> None:
    """Write a file of State/."""
    write_json(path, {"Version": _STATE_VERSION, **document})
