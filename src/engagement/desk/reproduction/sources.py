"""Where an earlier run's inputs and outputs can be taken from: the data root, or an archive of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engagement.custody.backups.names import find_archives, time_of
from engagement.custody.backups.restore import restore_archive
from engagement.custody.run_manifests.manifest import InputFile, RunManifest
from engagement.foundation.errors import InputError
from engagement.foundation.files import digest_file
from engagement.pipeline.outputs.analysis_files import read_season


@dataclass(frozen=True)
class InputsSource:
    """A data root, present or restored; `changed` says how its inputs differ from the run's."""

    name: str
    data_root: Path
    changed: tuple[str, ...]
    has_outputs: bool

    @property
    def is_complete(self) -> bool:
        """True if everything is as it was after the run."""
        return not self.changed and self.has_outputs


def choose_source(
    data_root: Path, manifest: RunManifest, archives: Path | None, scratch: Path, identity: Path | None
) -> InputsSource:
    """Take the data root if it is as it was; else the archive nearest after the run, if that is better.

    Raises
    ------
    InputError
        An archive is damaged, or can't be read.
    """
    present = look_at("the data root", data_root, manifest)
    if present.is_complete or archives is None:
        return present
    archive = find_archive(archives, manifest)
    if archive is None:
        return present
    folder = scratch / "restored"
    restore_archive(archive, folder, identity)
    restored = look_at(archive.name, folder, manifest)
    return min(present, restored, key=lambda source: (len(source.changed), not source.has_outputs))


def find_archive(archives: Path, manifest: RunManifest) -> Path | None:
    """Find the run's own archive, else the first one that was made after it."""
    made_at = datetime.fromisoformat(manifest.time)
    found = find_archives(archives)
    own = [path for path in found if manifest.run_id in path.name]
    later = [path for path in found if (time_of(path) or datetime.min.replace(tzinfo=UTC)) >= made_at]
    return next(iter([*own, *later]), None)


def look_at(name: str, data_root: Path, manifest: RunManifest) -> InputsSource:
    """Compare the inputs in a data root with the run's, and tell whether its outputs are there."""
    try:
        has_outputs = read_season(data_root)[0].timestamp == manifest.time
    except InputError:
        has_outputs = False
    changed = (
        *find_changed_files(manifest.files, data_root),
        *(
            f"{folder}/{path.name}: came after the run"
            for folder in ("Coded Coda Files", "Adjudications")
            for path in sorted((data_root / folder).glob("*.json"))
            if f"{folder}/{path.name}" not in manifest.files
        ),
    )
    return InputsSource(name, data_root, changed, has_outputs)


def find_changed_files(files: dict[str, InputFile], folder: Path) -> Iterator[str]:
    """Say which files are gone from a folder, or have other contents."""
    for name, expected in files.items():
        if not (folder / name).is_file():
            yield f"{name}: not there any more"
        elif digest_file(folder / name) != expected.sha256:
            yield f"{name}: has other contents"
