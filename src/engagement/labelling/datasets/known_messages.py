"""What is known of a Coda instance without asking it, so that little has to be read from it.

The instances to download from and to add to may be two: the first can be a copy of the second. A downloaded file only tells
about the instance it came from, so that is remembered. What another instance has is kept by itself.

    State/coda/coded_file_instances.json      which instance each coded file was downloaded from
    State/coda/<instance>/<dataset>.json      ids of messages that a dataset of another instance is known to have

Two copies of a stage that work on one data root, which the run scripts don't allow, write one after the other.
"""

from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from engagement.foundation.files import hold_directory, read_json, write_json
from engagement.labelling.datasets.datasets import coded_file
from engagement.services.coda.format import read_message_file

NO_INSTANCE = ""
"""Stands for the source of a coded file that is about to be replaced by one from another instance."""

_STATE_VERSION = 1
_REMEDY = "Download the dataset anew: run stage 1 with --full."


def load_known_messages(data_root: Path, dataset: str, instance: str) -> frozenset[str]:
    """The ids of messages that the instance is known to have: from the coded file where that is its own, else from State/."""
    if _is_coded_file_of(instance, data_root, dataset):
        messages = read_message_file(coded_file(data_root, dataset), _REMEDY)
        return frozenset(message["MessageID"] for message in messages)
    return frozenset(_read_state(_known_messages_file(data_root, dataset, instance)).get("MessageIDs", ()))


def save_known_messages(data_root: Path, dataset: str, instance: str, message_ids: Set[str]) -> None:
    """Keep what the instance is known to have, unless the coded file tells it."""
    if not _is_coded_file_of(instance, data_root, dataset):
        path = _known_messages_file(data_root, dataset, instance)
        with hold_directory(path.parent):
            _write_state(path, {"MessageIDs": sorted(message_ids)})


def find_source_instance(data_root: Path, dataset: str) -> str | None:
    """The instance that a dataset's coded file was downloaded from; None where that is not known."""
    instance: str | None = _read_state(_source_instances_file(data_root)).get("Instances", {}).get(dataset)
    return instance


def record_source_instance(data_root: Path, dataset: str, instance: str) -> None:
    """Remember which instance a dataset's coded file was downloaded from."""
    path = _source_instances_file(data_root)
    with hold_directory(path.parent):
        instances = _read_state(path).get("Instances", {})
        if instances.get(dataset) != instance:
            _write_state(path, {"Instances": {**instances, dataset: instance}})


def _is_coded_file_of(instance: str, data_root: Path, dataset: str) -> bool:
    return find_source_instance(data_root, dataset) == instance and coded_file(data_root, dataset).exists()


def _source_instances_file(data_root: Path) -> Path:
    return data_root / "State" / "coda" / "coded_file_instances.json"


def _known_messages_file(data_root: Path, dataset: str, instance: str) -> Path:
    return data_root / "State" / "coda" / instance / f"{dataset}.json"


def _read_state(path: Path) -> dict[str, Any]:
    """Read a file of State/; nothing where there is none or one of another version, which costs a full download."""
    document = read_json(path) if path.exists() else {}
    return document if isinstance(document, dict) and document.get("Version") == _STATE_VERSION else {}


def _write_state(path: Path, document: Mapping[str, Any]) -> None:
    write_json(path, {"Version": _STATE_VERSION, **document})
