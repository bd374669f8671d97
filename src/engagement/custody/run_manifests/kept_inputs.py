"""State/run_inputs/: configurations, coding plans and code schemes, each once, by its SHA-256."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engagement.configuration.kept_project import ProjectDocuments
from engagement.custody.run_manifests.manifest import RunManifest
from engagement.foundation.errors import InputError
from engagement.foundation.files import digest_file, make_directory, open_bytes_for_writing


def inputs_folder(data_root: Path) -> Path:
    """Name the folder in a data root."""
    return data_root / "State" / "run_inputs"


def keep_document(data_root: Path, document: Any) -> str:
    """Keep a document, unless it is there already, whole; return its SHA-256."""
    content = _encode(document)
    digest = hashlib.sha256(content).hexdigest()
    path = _path(data_root, digest)
    if not (path.is_file() and digest_file(path) == digest):
        make_directory(path.parent)
        with open_bytes_for_writing(path) as file:
            file.write(content)
    return digest


def read_kept_documents(data_root: Path, manifest: RunManifest) -> ProjectDocuments | None:
    """Read the project of a run as it was; None if a part of it is no longer there.

    Raises
    ------
    InputError
        A part of it is damaged.
    """
    digests = [manifest.configuration, manifest.coding_plans, *manifest.schemes.values()]
    if not all(_path(data_root, digest).is_file() for digest in digests):
        return None
    configuration, plans, *schemes = (_read(_path(data_root, digest), digest) for digest in digests)
    return ProjectDocuments(configuration, plans, dict(zip(manifest.schemes, schemes, strict=True)))


def read_kept_configuration(data_root: Path, manifest: RunManifest) -> Mapping[str, Any] | None:
    """Read the configuration of a run as it was; None if it is no longer there.

    Raises
    ------
    InputError
        It is damaged.
    """
    path = _path(data_root, manifest.configuration)
    configuration: Mapping[str, Any] | None = _read(path, manifest.configuration) if path.is_file() else None
    return configuration


def digest_document(document: Any) -> str:
    """Return the SHA-256 that a document is kept by."""
    return hashlib.sha256(_encode(document)).hexdigest()


def is_kept(data_root: Path, digest: str) -> bool:
    """Tell whether a document is kept, whole."""
    path = _path(data_root, digest)
    return path.is_file() and digest_file(path) == digest


def _read(path: Path, digest: str) -> Any:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise InputError(
            f"{path}: not what its name says; expected contents with that SHA-256. Restore it from an archive of the data root."
        )
    return json.loads(content)


def _path(data_root: Path, digest: str) -> Path:
    return inputs_folder(data_root) / f"{digest}.json"


def _encode(document: Any) -> bytes:
    # Like every JSON file here.
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()
