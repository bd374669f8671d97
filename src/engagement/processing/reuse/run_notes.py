"""State/outputs/: what a run of stage 3 notes, so that the next one makes anew only what changed. Safe to delete.

`notes.json` says what the notes are of: which code, configuration and mode made which files. They are used only while all of that is
as it was, to the last file's time, and none of the notes is damaged; otherwise everything is made anew, which is never wrong. The
arrays beside it hold hashes, places and numbers, and no text; `notes.json` holds the texts of the ICR samples.
"""

import contextlib
import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from engagement.configuration import CodingPlan
from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json, replace_folder, write_json
from engagement.pipeline.coding.coded_datasets import LABELS, CodedDataset
from engagement.pipeline.outputs.icr import IcrSample
from engagement.pipeline.outputs.participant_files import ParticipantFile
from engagement.pipeline.outputs.parts import append_file, open_part, part_path, read_records, write_records
from engagement.pipeline.outputs.stretches import LastRun
from engagement.processing.participant_notes import PARTICIPANT, PARTICIPANTS, SENT, SENT_MESSAGES, TEXT, TEXTS
from engagement.processing.records.raw_runs import DIGEST, PLACE, Flows, Lines
from engagement.sources.manifest import FileVersion

log = logging.getLogger(__name__)

_VERSION = 2
_NOTES = "notes.json"
# A label's dataset, by the number of its plan, and what `LABELS` has.
CODED = numpy.dtype([("plan", "<u2"), *LABELS.descr])
_KINDS = {
    "places": PLACE,
    "digests": DIGEST,
    "labels": CODED,
    PARTICIPANTS: PARTICIPANT,
    TEXTS: TEXT,
    SENT_MESSAGES: SENT,
}
# A file that was written so shortly before it was read could be written again without looking otherwise.
_NANOSECONDS_OF_DOUBT = 2 * 10**9


def notes_folder(data_root: Path) -> Path:
    """The folder in a data root."""
    return data_root / "State" / "outputs"


@dataclass(frozen=True)
class RunNotes:
    """The notes of the last run; `samples` are the ICR samples by raw field."""

    folder: Path
    outputs: Path
    lines: Lines
    labels: numpy.ndarray
    participants: numpy.ndarray
    texts: numpy.ndarray
    sent: numpy.ndarray
    samples: Mapping[str, IcrSample]
    losses: tuple[tuple[int, str, int], ...]
    keys: frozenset[str]
    raw_files: Mapping[str, list[int]]
    verified: Mapping[str, FileVersion]

    def known_lines(self, flows: Flows) -> dict[int, Lines]:
        """The lines of the raw files that are still the same files, by their numbers."""
        return {
            number: self.lines.of_file(number)
            for number, path in enumerate(flows.paths)
            if self.raw_files.get(path.name) == _identify(path)
        }

    def verified_files(self, flows: Flows) -> dict[str, FileVersion]:
        """The versions of the raw files that are still the same files, as far as the manifest had them."""
        are_same = (path.name for path in flows.paths if self.raw_files.get(path.name) == _identify(path))
        return {name: self.verified[name] for name in are_same if name in self.verified}


def read_notes(data_root: Path, maker: Mapping[str, str], has_own_code: bool) -> RunNotes | None:
    """Read what the last run noted; None, and a line in the log that says why, if that is of no use.

    It never is when the project has code of its own, which may do something else today.
    """
    try:
        if has_own_code:
            raise _OfNoUseError("the project has code of its own")
        return _read_notes(data_root, maker)
    except _OfNoUseError as reason:
        log.info("Full run: %s", reason)
        return None


class _OfNoUseError(Exception):
    """The notes can't be used; the text says why."""


def _read_notes(data_root: Path, maker: Mapping[str, str]) -> RunNotes:
    folder = notes_folder(data_root)
    if not (folder / _NOTES).exists():
        raise _OfNoUseError("no run left notes here")
    try:
        document = read_json(folder / _NOTES)
        if document["version"] != _VERSION:
            raise _OfNoUseError("the notes of the last run are of another version")
        changed = [what for what, digest in maker.items() if document["maker"].get(what) != digest]
        if changed:
            raise _OfNoUseError(f"{' and '.join(changed)} changed")
        if document["outputs"] != _identify_outputs(data_root / "Outputs", data_root / "State" / "analysis"):
            raise _OfNoUseError("Outputs/ or State/analysis/ is not as the last run left it")
        if document["notes"] != _digest_notes(folder):
            raise _OfNoUseError("the notes of the last run are damaged")
        arrays = {name: read_records(folder / f"{name}.array", kind) for name, kind in _KINDS.items()}
        return RunNotes(
            folder,
            data_root / "Outputs",
            Lines(arrays["places"], arrays["digests"]),
            arrays["labels"],
            arrays[PARTICIPANTS],
            arrays[TEXTS],
            arrays[SENT_MESSAGES],
            {
                raw_field: IcrSample({text: (key, run_id) for text, key, run_id in sample})
                for raw_field, sample in document["samples"].items()
            },
            tuple((hashed, name, times) for hashed, name, times in document["losses"]),
            frozenset(document["keys"]),
            document["raw files"],
            {name: FileVersion(*version) for name, version in document["verified"].items()},
        )
    except (InputError, OSError, KeyError, TypeError, ValueError, AttributeError):
        # Whatever stands in the way, a full run needs none of it.
        raise _OfNoUseError("the notes of the last run can't be read") from None


def _identify(path: Path) -> list[int]:
    """What changes whenever a file does."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _identify_outputs(outputs: Path, analysis: Path) -> dict[str, list[int]]:
    """The files that the notes count rows and bytes in."""
    return {
        str(path.relative_to(folder)): _identify(path)
        for folder, patterns in ((outputs, ("*.csv", "*.jsonl", "Coda Files/*")), (analysis, ("*.parquet",)))
        for pattern in patterns
        for path in sorted(folder.glob(pattern))
    }


def _digest_notes(folder: Path) -> dict[str, str]:
    digests = {}
    for path in sorted(folder.iterdir()):
        if path.name != _NOTES:
            with path.open("rb") as file:
                digests[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


class NotesWriter:
    """The next version of the notes. What became of each row of a table is added to `folder` by those who write the table."""

    def __init__(self, folder: Path, maker: Mapping[str, str], began: int) -> None:
        """`began` is the moment before which the raw files were written, in nanoseconds and by the clock that gives files their times."""
        self.folder = folder
        self._maker = maker
        self._began = began

    def note_raw_files(self, flows: Flows, verified: Mapping[str, FileVersion] | None = None) -> None:
        """Note which files the lines are of that `find_runs` left in `folder`, and which versions of them the manifest has."""
        self._verified = verified or {}
        self._raw_files = {
            path.name: identity
            for path in flows.paths
            if max((identity := _identify(path))[1:3]) + _NANOSECONDS_OF_DOUBT < self._began
        }

    def write_labels(self, labels: numpy.ndarray) -> None:
        """Note what coders said."""
        self._write("labels", labels)

    def take_participants(self, scratch: Path, partitions: int) -> None:
        """Note what became of the participants, as the partitions left it."""
        with open_part(self.folder / f"{PARTICIPANTS}.array") as file:
            for number in range(partitions):
                append_file(file, part_path(scratch, PARTICIPANTS, number))

    def write_participants(self, participants: numpy.ndarray) -> None:
        """Note what became of the participants: of those who stay, too."""
        self._write(PARTICIPANTS, participants)

    def participant_files(self, scratch: Path, last_run: LastRun | None) -> list[ParticipantFile]:
        """The notes on texts and on sent messages, for the partitions' parts."""
        return [
            ParticipantFile(
                self.folder / f"{name}.array",
                scratch,
                None if last_run is None else last_run.notes / f"{name}.array",
                name,
                kind.itemsize,
            )
            for name, kind in ((TEXTS, TEXT), (SENT_MESSAGES, SENT))
        ]

    def _write(self, name: str, records: numpy.ndarray) -> None:
        with open_part(self.folder / f"{name}.array") as file:
            write_records(file, records)

    def finish(
        self,
        outputs: Path,
        analysis: Path,
        samples: Mapping[str, IcrSample],
        losses: list[tuple[int, str, int]],
        keys: set[str],
    ) -> None:
        """Note what else is to be known, when all files of the new Outputs/ and State/analysis/ are written."""
        document: dict[str, Any] = {
            "version": _VERSION,
            "maker": self._maker,
            "raw files": self._raw_files,
            "verified": self._verified,
            "outputs": _identify_outputs(outputs, analysis),
            "notes": _digest_notes(self.folder),
            "samples": {
                raw_field: [(text, *key) for text, key in sample.smallest.items()]
                for raw_field, sample in samples.items()
            },
            "losses": losses,
            "keys": sorted(keys),
        }
        write_json(self.folder / _NOTES, document, indent=None)


@contextlib.contextmanager
def write_notes(data_root: Path, maker: Mapping[str, str]) -> Iterator[NotesWriter]:
    """Write the notes of this run beside those of the last one; they take their place when the block ends well.

    So the block is to end after Outputs/ was replaced: notes that are not of Outputs/ as it is are of no use, and do no harm.
    """
    current = notes_folder(data_root)
    with replace_folder(current) as building:
        yield NotesWriter(building, maker, building.stat().st_mtime_ns)


def gather_labels(plans: tuple[CodingPlan, ...], datasets: Mapping[str, CodedDataset]) -> numpy.ndarray:
    """What coders said in all datasets."""
    parts = [numpy.empty(0, CODED)]
    for number, plan in enumerate(plans):
        if plan.raw_field in datasets:
            labels = datasets[plan.raw_field].labels
            part = numpy.empty(len(labels), CODED)
            part["plan"], part["id"], part["digest"] = number, labels["id"], labels["digest"]
            parts.append(part)
    return numpy.concatenate(parts)
