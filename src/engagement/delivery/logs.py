"""Destinations for a run's archive, memory profile and log, and earlier runs' files beside them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engagement.configuration import PipelineConfiguration
from engagement.foundation.run_report import RUN_ID


@dataclass(frozen=True)
class UploadKind:
    """A kind of file of each run: its name on this machine, and its destination.

    `address_start` and `address_end` surround the run id. `is_growing`: the run is still writing to the file.
    """

    what: str
    file_start: str
    file_end: str
    address_start: str
    address_end: str
    is_growing: bool = False

    def address(self, run_id: str) -> str:
        """Return the address of a run's file."""
        return f"{self.address_start}{run_id}{self.address_end}"

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


def find_upload_kinds(configuration: PipelineConfiguration) -> list[UploadKind]:
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
        kinds.append(UploadKind("log", "", ".log", profiles, ".log", is_growing=True))
    if archives is not None:
        kinds.append(UploadKind("archive", "data-", ".tar.gz", archives, ".tar.gz"))
    return kinds


def find_uploads(kind: UploadKind, files: RunFiles, with_earlier: bool) -> list[Upload]:
    """Find the run's file of a kind, if it exists, and `with_earlier` also other runs' in its folder."""
    own = files.paths[kind.what]
    found = {path: kind.address(run_id) for run_id, path in kind.find_files(own.parent)} if with_earlier else {}
    if own.exists():
        found[own] = kind.address(files.run_id)
    return [Upload(kind, path, address) for path, address in found.items()]


def _start(url_prefix: str | None, bucket: str | None, name_start: str) -> str | None:
    if url_prefix is not None:
        return url_prefix
    return f"{bucket.rstrip('/')}/{name_start}" if bucket is not None else None


def _folder(path: str | None) -> str:
    """Return a folder's path with one "/" at its end; empty without a folder."""
    trimmed = (path or "").strip("/")
    return f"{trimmed}/" if trimmed else ""
