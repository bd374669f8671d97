"""The incremental engine: find what changed, keep the rest, remember this run for the next one.

Nothing else knows about the last run: a stage gets the lines to process and earlier outputs to copy rows from.
"""

import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy

from engagement.pipeline.coding.coded_datasets import CodedDataset
from engagement.pipeline.coding.named_functions import has_project_functions
from engagement.pipeline.messages.unknown_testers import find_unknown_testers
from engagement.pipeline.outputs.participant_files import MergedParticipants, ParticipantFile
from engagement.pipeline.outputs.stretches import EarlierOutputs
from engagement.processing.processor import Processor
from engagement.processing.records.listening_groups import find_changed_members, log_attendance, make_member_records
from engagement.processing.records.participant_links import (
    ParticipantLinks,
    count_unknown,
    link_lines,
    link_places,
    make_link_records,
)
from engagement.processing.records.participant_notes import read_participants
from engagement.processing.records.raw_checks import RawCheck
from engagement.processing.records.raw_runs import Flows, LineLocations, RunPlaces, RunTasks, find_runs
from engagement.processing.reuse.changes import find_kept_results
from engagement.processing.reuse.kept_results import KeptResults
from engagement.processing.reuse.left_files import describe_left
from engagement.processing.reuse.notes_writer import NotesWriter, gather_labels, write_notes
from engagement.processing.reuse.run_notes import read_notes
from engagement.processing.reuse.settings import describe_settings
from engagement.processing.summary import Summary

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Changes:
    """The work of a run: `places` are the lines of participants whose data changed, all in a full run.

    `runs_of_flows` counts the raw runs of each flow, including unchanged ones.
    """

    places: RunPlaces
    runs_of_flows: Mapping[str, int]
    kept: KeptResults | None
    notes: NotesWriter

    @property
    def earlier_outputs(self) -> EarlierOutputs | None:
        """The outputs to copy the rows of all other participants from; None in a full run."""
        return None if self.kept is None else self.kept.earlier_outputs

    @property
    def row_notes(self) -> Path:
        """The folder for notes on the rows of the new tables."""
        return self.notes.folder

    def files_of_notes(self, scratch: Path) -> list[ParticipantFile]:
        """Open the notes that are written like outputs, from the partitions' parts."""
        earlier = self.earlier_outputs
        return self.notes.participant_files(scratch, None if earlier is None else earlier.row_notes)


@contextlib.contextmanager
def find_changed(
    processor: Processor,
    flows: Flows,
    data_root: Path,
    run_tasks: RunTasks,
    mode: str,
    is_full: bool,
    reads_all: bool = False,
) -> Iterator[Changes]:
    """Find the participants whose data changed since the last run; all of them with `is_full`.

    Unchanged raw files are not read again, unless `reads_all`. `run_tasks` reads raw files.
    The notes of this run replace the last run's if the block succeeds; it must end after Outputs/ was replaced.

    Raises
    ------
    InputError
        A raw file can't be read, or is not as stage 2 wrote it.
    """
    project, datasets = processor.project, processor.datasets
    settings = describe_settings(project, mode)
    with write_notes(data_root, settings) as notes:
        last = None if is_full else read_notes(data_root, settings, has_project_functions(project))
        known, verified = (
            ({}, {}) if last is None or reads_all else (last.known_lines(flows), last.verified_files(flows))
        )
        check = RawCheck(flows.paths, verified)
        places, digests = find_runs(flows, run_tasks, known, notes.folder, check)
        lines, labels = LineLocations(places.places, digests), gather_labels(project.coding_plans.all, datasets)
        for problem in find_unknown_testers(project.configuration, len(lines.places), lines.has_runs):
            log.warning("%s, %s", project.path, problem)
        links = make_link_records(processor.links)
        notes.write_links(links)
        if processor.links.firsts:
            _log_links(processor.links, lines)
        lines = link_lines(lines, links)
        places = link_places(places, lines, processor.links)
        notes.note_raw_files(flows, check.verified)
        notes.write_labels(labels)
        members = make_member_records(processor.groups)
        notes.write_members(members)
        if processor.groups.names:
            log_attendance(processor.groups, numpy.unique(lines.places["hash"]))
        kept = None
        if last is not None:
            moved = find_changed_members(last.members, members)
            last = replace(last, lines=link_lines(last.lines, last.links))
            kept = find_kept_results(project, last, lines, datasets, labels, processor.is_coded, moved)
        yield Changes(places if kept is None else places.of(kept.changed), lines.count_runs(flows), kept, notes)


def _log_links(links: ParticipantLinks, lines: LineLocations) -> None:
    unknown = count_unknown(links, lines)
    log.info(
        "LinkedParticipants: %d id(s) count for another%s",
        len(links.firsts),
        f"; {unknown} in the files wrote nothing that was fetched" if unknown else "",
    )


def keep_unchanged(
    changes: Changes, summary: Summary, datasets: Mapping[str, CodedDataset], scratch: Path, partitions: int
) -> MergedParticipants | None:
    """Add the last run's kept results to the summary, and note the results of all participants.

    Returns the merged order of the kept participants and the processed ones; None in a full run.
    """
    if changes.kept is None:
        changes.notes.take_participants(scratch, partitions)
        return None
    changes.kept.add_to(summary, datasets)
    merged = changes.kept.merge(read_participants(scratch, partitions))
    changes.notes.write_participants(merged.records)
    return merged


def remember(
    changes: Changes, outputs: Path, analysis: Path, summary: Summary, run: Mapping[str, Any], data_root: Path
) -> None:
    """Note everything that the next run needs, once all new files are written; `run` describes this one."""
    changes.notes.finish(outputs, analysis, summary, run, describe_left(data_root, outputs, analysis))
