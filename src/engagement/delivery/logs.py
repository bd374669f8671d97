"""Destinations for a run's archive, memory profile and log, and earlier runs' files beside them."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engagement.foundation.run_report import RUN_ID

if TYPE_CHECKING:
    from engagement.configuration import PipelineConfiguration


@dataclass(frozen=True)
class UploadKind:
    """A kind of file of each run: its name on this machine, and its destination.

    `address_start` and `address_end` surround the run id. `is_growing`: the run is still writing to the file.
    `former_address_start`: how the addresses began before, if they did differently; files there are not uploaded again.
    """

    what: str
    file_start: str
    file_end: str
    address_start: str
    address_end: str
    is_growing: bool = False
    former_address_start: str | None = None

    def address(self, run_id: str) -> str:
        """Return the address of a run's file."""
        return f"{self.address_start}{run_id}{self.address_end}"

    def former_address(self, run_id: str) -> str | None:
        """Return the address that a run's file had before, if it had another."""
        start = self.former_address_start
        return None if start is None else f"{start}{run_id}{self.address_end}"

    def find_files(self, folder: Path) -> Iterator[tuple[str, Path]]:
        """Find the files of all runs in a folder, with their run ids, oldest first."""
        pattern = re.compile(rf"{re.escape(self.file_start)}(?P<run_id>{RUN_ID}){re.escape(self.file_end)}")
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            named = pattern.fullmatch(path.name)
            if named is not None and path.is_file():
                yield named["run_id"], path


@dataclass(frozen=True)
class Upload:
    """A file of a run, and its address."""

    kind: UploadKind
    path: Path
    address: str
    former_address: str | None = None

    def find_stored(self, has_object: Callable[[str], bool]) -> str | None:
        """Return the one of its addresses where the file is already; None if it is at none."""
        addresses = (self.address, self.former_address)
        return next((address for address in addresses if address is not None and has_object(address)), None)


@dataclass(frozen=True)
class RunFiles:
    """The run's own files, as named on the command line; the log is beside the memory profile."""

    run_id: str
    memory_profile: Path
    archive: Path

    @property
    def paths(self) -> Mapping[str, Path]:
        """Return the files by kind."""
        log = self.memory_profile.with_name(f"{self.run_id}.log")
        return {"memory profile": self.memory_profile, "log": log, "archive": self.archive}


def find_upload_kinds(configuration: "PipelineConfiguration") -> list[UploadKind]:
    """Find the kinds of files for which the configuration has an address."""
    folder = _folder(configuration.bucket_dir_path)
    profiles = _start(
        configuration.memory_profile_upload_url_prefix,
        configuration.memory_profile_upload_bucket,
        f"{folder}memory-",
    )
    archives = _start(
        configuration.data_archive_upload_url_prefix,
        configuration.data_archive_upload_bucket,
        f"{folder}data-",
    )
    kinds = []
    if profiles is not None:
        kinds.append(UploadKind("memory profile", "memory-", ".profile", profiles, ".profile"))
        kinds.append(UploadKind("log", "", ".log", _name_log(profiles), ".log", True, former_address_start=profiles))
    if archives is not None:
        is_encrypted = configuration.backup is not None and configuration.backup.encrypt
        ending = ".tar.gz.age" if is_encrypted else ".tar.gz"
        kinds.append(UploadKind("archive", "data-", ending, archives, ending))
    return kinds


def find_uploads(kind: UploadKind, files: RunFiles, with_earlier: bool) -> list[Upload]:
    """Find the run's file of a kind, if it exists, and `with_earlier` also other runs' in its folder."""
    own = files.paths[kind.what]
    found = {path: run_id for run_id, path in kind.find_files(own.parent)} if with_earlier else {}
    if own.exists():
        found[own] = files.run_id
    return [Upload(kind, path, kind.address(run_id), kind.former_address(run_id)) for path, run_id in found.items()]


def _name_log(profiles: str) -> str:
    """Return the prefix of logs' addresses: "gs://bucket/log-" beside "gs://bucket/memory-".

    What else the name says stays: two projects that share a folder may have runs of one id.
    """
    folder, slash, name = profiles.rpartition("/")
    return f"{folder}{slash}{name.replace('memory', 'log', 1) if 'memory' in name else f'{name}log-'}"


def _start(url_prefix: str | None, bucket: str | None, name_start: str) -> str | None:
    if url_prefix is not None:
        return url_prefix
    return f"{bucket.rstrip('/')}/{name_start}" if bucket is not None else None


def _folder(path: str | None) -> str:
    """Return a folder's path with one "/" at its end; empty without a folder."""
    trimmed = (path or "").strip("/")
    return f"{trimmed}/" if trimmed else ""
