"""Write the notes of a run, which the next run needs to keep unchanged results."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy

from engagement.configuration import CodingPlan
from engagement.foundation.file_stamps import is_settled, stamp_of
from engagement.foundation.files import write_json
from engagement.foundation.record_files import write_records
from engagement.foundation.replaced_folders import replace_folder
from engagement.pipeline.coding.coded_datasets import CodedDataset
from engagement.pipeline.outputs.participant_files import ParticipantFile
from engagement.pipeline.outputs.parts import append_file, open_part, part_path
from engagement.processing.records.participant_notes import PARTICIPANTS, SENT, SENT_MESSAGES, TEXT, TEXTS
from engagement.processing.records.raw_runs import Flows
from engagement.processing.reuse.note_files import NOTES, VERSION, digest_notes, notes_folder
from engagement.processing.reuse.run_notes import CODED, LINKS, MEMBERS, identify_outputs
from engagement.processing.summary import Summary
from engagement.sources.manifest import FileVersion


class NotesWriter:
    """The next version of the notes. Whoever writes a table adds the notes on its rows to `folder`."""

    def __init__(self, folder: Path, settings: Mapping[str, str], began: int) -> None:
        """`began` is the time the run began to read, in nanoseconds by the clock of the file system."""
        self.folder = folder
        self._settings = settings
        self._began = began

    @property
    def verified(self) -> Mapping[str, FileVersion]:
        """The versions of the raw files that agree with the manifest."""
        return self._verified

    def note_raw_files(self, flows: Flows, verified: Mapping[str, FileVersion] | None = None) -> None:
        """Note the raw files that the noted lines come from, and their versions by the manifest."""
        self._verified = verified or {}
        self._raw_files = {path.name: stamp for path in flows.paths if is_settled(stamp := stamp_of(path), self._began)}

    def write_labels(self, labels: numpy.ndarray) -> None:
        """Note coders' labels."""
        self._write("labels", labels)

    def write_members(self, members: numpy.ndarray) -> None:
        """Note the members of listening groups."""
        self._write(MEMBERS, members)

    def write_links(self, links: numpy.ndarray) -> None:
        """Note the participants who are linked to others."""
        self._write(LINKS, links)

    def take_participants(self, scratch: Path, partitions: int) -> None:
        """Note the participants' results, as the partitions left them."""
        with open_part(self.folder / f"{PARTICIPANTS}.array") as file:
            for number in range(partitions):
                append_file(file, part_path(scratch, PARTICIPANTS, number))

    def write_participants(self, participants: numpy.ndarray) -> None:
        """Note the participants' results, including the kept ones."""
        self._write(PARTICIPANTS, participants)

    def participant_files(self, scratch: Path, earlier: Path | None) -> list[ParticipantFile]:
        """Open the notes on texts and sent messages for parts; `earlier` is the folder to copy from."""
        return [
            ParticipantFile(
                self.folder / f"{name}.array",
                scratch,
                None if earlier is None else earlier / f"{name}.array",
                name,
                kind.itemsize,
            )
            for name, kind in ((TEXTS, TEXT), (SENT_MESSAGES, SENT))
        ]

    def _write(self, name: str, records: numpy.ndarray) -> None:
        with open_part(self.folder / f"{name}.array") as file:
            write_records(file, records)

    def finish(
        self, outputs: Path, analysis: Path, summary: Summary, run: Mapping[str, Any], left: Mapping[str, list[int]]
    ) -> None:
        """Note the rest, once all files of the new Outputs/ and State/analysis/ are written.

        `run` and `left` describe the run and all that it leaves; see `left_files`.
        """
        document: dict[str, Any] = {
            "version": VERSION,
            "maker": self._settings,
            "raw files": self._raw_files,
            "verified": self._verified,
            "outputs": identify_outputs(outputs, analysis),
            "notes": digest_notes(self.folder),
            "samples": {
                raw_field: [(text, *key) for text, key in sample.smallest.items()]
                for raw_field, sample in summary.samples.items()
            },
            "run": run,
            "left": left,
            "losses": summary.losses,
            "keys": sorted(summary.keys),
        }
        write_json(self.folder / NOTES, document, indent=None)
        # See `find_time_of_inputs`.
        os.utime(self.folder / NOTES, ns=(self._began, self._began))


@contextlib.contextmanager
def write_notes(data_root: Path, settings: Mapping[str, str]) -> Iterator[NotesWriter]:
    """Write new notes beside the old ones; replace the old ones if the block succeeds.

    The block must end after Outputs/ was replaced: notes that do not match Outputs/ are useless, but harmless.
    """
    current = notes_folder(data_root)
    with replace_folder(current) as building:
        yield NotesWriter(building, settings, building.stat().st_mtime_ns)


def gather_labels(plans: tuple[CodingPlan, ...], datasets: Mapping[str, CodedDataset]) -> numpy.ndarray:
    """Gather coders' labels from all datasets."""
    parts = [numpy.empty(0, CODED)]
    for number, plan in enumerate(plans):
        if plan.raw_field in datasets:
            labels = datasets[plan.raw_field].labels
            part = numpy.empty(len(labels), CODED)
            part["plan"], part["id"], part["digest"] = number, labels["id"], labels["digest"]
            parts.append(part)
    return numpy.concatenate(parts)
