"""Runs/manifests/<run id>.json: what a run of stage 3 was made with.

A manifest has the versions of the code, the options, and the SHA-256 of each input: of the configuration, the coding plans and each
code scheme, whose contents are kept in State/run_inputs/, and of each file of Raw Data/, Coded Coda Files/ and others. Stage 3 draws
samples by hashes, and uses no seed.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from engagement.foundation.errors import InputError, UsageError
from engagement.foundation.file_stamps import is_settled, stamp_of
from engagement.foundation.files import digest_file, explain_os_errors, make_directory, write_json

_VERSION = 1


class InputFile(NamedTuple):
    """An input's SHA-256, and its size, times and inode: while these stay, it is not read again."""

    sha256: str
    stamp: list[int] | None


class RunManifest(msgspec.Struct, frozen=True):
    """What one run was made with.

    `time` is that of the run in its outputs; `is_full` if it kept no rows of an earlier run.
    `runs_since_full_read` counts the runs, up to this one, that did not read every input; None if nobody knows.
    `files` are by path in the data root. `project_files` are beside the configuration, by its own names for them.
    """

    version: int
    run_id: str
    time: str
    user: str
    account: str
    is_full: bool
    versions: dict[str, str]
    options: dict[str, str]
    configuration_file: str
    configuration: str
    coding_plans: str
    schemes: dict[str, str]
    files: dict[str, InputFile]
    project_files: dict[str, InputFile]
    runs_since_full_read: int | None = None


_decode = msgspec.json.Decoder(RunManifest).decode


def manifests_folder(data_root: Path) -> Path:
    """Name the folder in a data root; it need not exist."""
    return data_root / "Runs" / "manifests"


def write_manifest(data_root: Path, manifest: RunManifest) -> None:
    """Write a run's manifest, replacing one of the same run."""
    folder = make_directory(manifests_folder(data_root))
    write_json(folder / f"{manifest.run_id}.json", msgspec.to_builtins(manifest))


def read_manifest(data_root: Path, run_id: str) -> RunManifest:
    """Read a run's manifest.

    Raises
    ------
    UsageError
        The run has none.
    InputError
        It is damaged, or of another version.
    """
    path = manifests_folder(data_root) / f"{run_id}.json"
    if Path(run_id).name != run_id or not path.is_file():
        known = sorted(other.stem for other in manifests_folder(data_root).glob("*.json"))
        said = f"the last are {', '.join(known[-5:])}" if known else "none has one"
        raise UsageError(
            f"{run_id!r}: no manifest of this run in {manifests_folder(data_root)}; expected a run whose stage 3 "
            f"(generate outputs) succeeded: {said}. Choose one of these."
        )
    return _read(path)


def find_manifests(data_root: Path) -> list[RunManifest]:
    """Read all manifests, the oldest first; damaged ones are passed over."""
    found = []
    for path in sorted(manifests_folder(data_root).glob("*.json")):
        try:
            found.append(_read(path))
        except InputError:
            continue
    return found


def _read(path: Path) -> RunManifest:
    try:
        manifest = _decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        raise _unusable(path) from None
    if manifest.version != _VERSION:
        raise _unusable(path)
    return manifest


def _unusable(path: Path) -> InputError:
    return InputError(
        f"{path}: damaged, or of another version; expected a run's manifest of version {_VERSION}. Restore it from an archive "
        "of the data root."
    )


def read_last_manifest(data_root: Path) -> RunManifest | None:
    """Read the manifest of the last run; None if there is none, or it is damaged."""
    last = max(manifests_folder(data_root).glob("*.json"), key=lambda path: path.name, default=None)
    try:
        return None if last is None else _read(last)
    except InputError:
        return None


class FileDigests:
    """Digests files, each once; what the last run's manifest has of an unchanged file is not read again.

    Files that are digested before the run reads them are known by what it read, or by what was there before.
    """

    def __init__(self, last: RunManifest | None, is_full: bool = False) -> None:
        """`last` is the last run's manifest; with `is_full` every file is read."""
        self.last = last
        self._known = {} if last is None or is_full else {**last.files, **last.project_files}
        self._found: dict[str, InputFile] = {}
        self._verified: Mapping[str, str] = {}

    def take_verified(self, verified: Mapping[str, str]) -> None:
        """Take the SHA-256 of raw files that were compared in this run, by path in the data root."""
        self._verified = verified

    def renew(self, files: Mapping[str, InputFile]) -> dict[str, InputFile]:
        """Return files of a manifest, with newer stamps of those that were digested."""
        return {name: self._found.get(name, file) for name, file in files.items()}

    def digest(self, name: str, path: Path) -> InputFile:
        """Digest a file; `name` is what the manifest calls it."""
        if name in self._verified:
            return self._describe(path, self._verified[name])
        if name not in self._found:
            self._found[name] = self._describe(path, None, self._known.get(name))
        return self._found[name]

    def digest_in(self, data_root: Path, path: Path) -> str:
        """Return the SHA-256 of a file of a data root."""
        return self.digest(str(path.relative_to(data_root)), path).sha256

    def _describe(self, path: Path, sha256: str | None, known: InputFile | None = None) -> InputFile:
        with explain_os_errors(path):
            looked_at, stamp = time.time_ns(), stamp_of(path)
            if known is not None and known.stamp == stamp:
                sha256 = known.sha256
            sha256 = sha256 or digest_file(path)
        return InputFile(sha256, stamp if is_settled(stamp, looked_at) else None)


def version_number() -> int:
    """Return the version of manifests that this code writes."""
    return _VERSION
