"""State/outputs/: notes of a run of stage 3, so that the next one processes only what changed.

The folder is safe to delete. `notes.json` records the code, configuration and mode that made the files, and the files' identities.
The notes are used only while all of that is unchanged, down to each file's time, and no note is damaged; otherwise the next run is a
full one, which is always right. The arrays beside it hold hashes, places and numbers, but no text; `notes.json` holds the texts of
the ICR samples.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy

from engagement.foundation.errors import InputError
from engagement.foundation.file_stamps import stamp_of
from engagement.foundation.files import read_json
from engagement.foundation.record_files import read_records
from engagement.pipeline.coding.coded_datasets import LABELS
from engagement.pipeline.outputs.icr import IcrSample
from engagement.processing.records.listening_groups import MEMBER
from engagement.processing.records.participant_links import LINK
from engagement.processing.records.participant_notes import PARTICIPANT, PARTICIPANTS, SENT, SENT_MESSAGES, TEXT, TEXTS
from engagement.processing.records.raw_runs import DIGEST, PLACE, Flows, LineLocations
from engagement.processing.reuse.note_files import NOTES, VERSION, digest_notes, notes_folder
from engagement.sources.manifest import FileVersion

log = logging.getLogger(__name__)

# Members of listening groups.
MEMBERS = "members"
# Participants who are linked to another; the lines have the ids as they were fetched.
LINKS = "links"
# A label's dataset, by the number of its plan, and the fields of `LABELS`.
CODED = numpy.dtype([("plan", "<u2"), *LABELS.descr])
_KINDS = {
    "places": PLACE,
    "digests": DIGEST,
    "labels": CODED,
    PARTICIPANTS: PARTICIPANT,
    TEXTS: TEXT,
    SENT_MESSAGES: SENT,
    MEMBERS: MEMBER,
    LINKS: LINK,
}


@dataclass(frozen=True)
class RunNotes:
    """The notes of the last run; `samples` are the ICR samples by raw field."""

    folder: Path
    outputs: Path
    lines: LineLocations
    labels: numpy.ndarray
    participants: numpy.ndarray
    texts: numpy.ndarray
    sent: numpy.ndarray
    samples: Mapping[str, IcrSample]
    losses: tuple[tuple[int, str, int], ...]
    keys: frozenset[str]
    raw_files: Mapping[str, list[int]]
    verified: Mapping[str, FileVersion]
    members: numpy.ndarray
    links: numpy.ndarray

    def known_lines(self, flows: Flows) -> dict[int, LineLocations]:
        """Return the lines of the raw files that have not changed, by file number."""
        return {
            number: self.lines.of_file(number)
            for number, path in enumerate(flows.paths)
            if self.raw_files.get(path.name) == stamp_of(path)
        }

    def verified_files(self, flows: Flows) -> dict[str, FileVersion]:
        """Return the versions of the raw files that have not changed, if the manifest had them."""
        are_same = (path.name for path in flows.paths if self.raw_files.get(path.name) == stamp_of(path))
        return {name: self.verified[name] for name in are_same if name in self.verified}


def read_notes(data_root: Path, settings: Mapping[str, str], has_own_code: bool) -> RunNotes | None:
    """Read the last run's notes; None, with the reason in the log, if they can't be used.

    They never can if the project has its own code, which may do something else today.
    """
    try:
        if has_own_code:
            raise _OfNoUseError("the project has code of its own")
        return _read_notes(data_root, settings)
    except _OfNoUseError as reason:
        log.info("Full run: %s", reason)
        return None


class _OfNoUseError(Exception):
    """Raised if the notes can't be used; the text says why."""


def _read_notes(data_root: Path, settings: Mapping[str, str]) -> RunNotes:
    folder = notes_folder(data_root)
    if not (folder / NOTES).exists():
        raise _OfNoUseError("no run left notes here")
    try:
        document = read_json(folder / NOTES)
        if document["version"] != VERSION:
            raise _OfNoUseError("the notes of the last run are of another version")
        changed = [what for what, digest in settings.items() if document["maker"].get(what) != digest]
        if changed:
            raise _OfNoUseError(f"{' and '.join(changed)} changed")
        if document["outputs"] != identify_outputs(data_root / "Outputs", data_root / "State" / "analysis"):
            raise _OfNoUseError("Outputs/ or State/analysis/ is not as the last run left it")
        if document["notes"] != digest_notes(folder):
            raise _OfNoUseError("the notes of the last run are damaged")
        arrays = {name: read_records(folder / f"{name}.array", kind) for name, kind in _KINDS.items()}
        return RunNotes(
            folder,
            data_root / "Outputs",
            LineLocations(arrays["places"], arrays["digests"]),
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
            arrays[MEMBERS],
            arrays[LINKS],
        )
    except (InputError, OSError, KeyError, TypeError, ValueError, AttributeError):
        # Whatever the problem is, a full run does not need the notes.
        raise _OfNoUseError("the notes of the last run can't be read") from None


def identify_outputs(outputs: Path, analysis: Path) -> dict[str, list[int]]:
    """Identify the files that the notes count rows and bytes in."""
    return {
        str(path.relative_to(folder)): stamp_of(path)
        for folder, patterns in ((outputs, ("*.csv", "*.jsonl", "Coda Files/*")), (analysis, ("*.parquet",)))
        for pattern in patterns
        for path in sorted(folder.glob(pattern))
    }
