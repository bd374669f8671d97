"""Whose data changed since the last run: they are made anew, and of all others stays what the last run made.

What becomes of a participant depends on the lines of their runs and on the labels of the texts that were looked up for them; on
nothing else that can change while the last run's notes are of use.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy

from engagement.configuration import Project
from engagement.pipeline.coding.coded_datasets import CodedDataset, start_of_id
from engagement.pipeline.messages.filters import Dropped
from engagement.pipeline.outputs.coda_files import CodaTexts
from engagement.pipeline.outputs.icr import IcrSample
from engagement.pipeline.outputs.participant_files import MixedParticipants
from engagement.pipeline.outputs.stretches import LastRun, are_among, mix
from engagement.processing.records.raw_runs import Lines
from engagement.processing.reuse.noted_texts import (
    NotedTexts,
    find_in_sample,
    find_noted_texts,
    find_written,
    mark,
    read_texts,
)
from engagement.processing.reuse.run_notes import RunNotes
from engagement.processing.summary import Summary

log = logging.getLogger(__name__)

# Where more changed, making everything anew is as quick.
_LARGEST_SHARE = 0.3


@dataclass(frozen=True)
class Unchanged:
    """What stays of the last run.

    `stay` says of each participant in its notes whether they stay; `changed` are all others, and those who are new, by the
    starts of their hashes in order. `known_texts` are those of its Coda files by raw field and the starts of their ids.
    """

    project: Project
    notes: RunNotes
    texts: NotedTexts
    known_texts: Mapping[str, Mapping[int, str]]
    stay: numpy.ndarray
    changed: numpy.ndarray

    @property
    def last_run(self) -> LastRun:
        """What those need to know who write the tables."""
        return LastRun(self.notes.outputs, self.notes.folder, self.changed)

    def mix(self, new: numpy.ndarray) -> MixedParticipants:
        """Put the participants who were made anew between those who stay."""
        old = self.notes.participants
        return MixedParticipants(mix(self.stay, numpy.searchsorted(old["hash"], new["hash"])), old, new)

    def add_to(self, summary: Summary, datasets: Mapping[str, CodedDataset]) -> None:
        """Count what stays in the summary of what was made anew."""
        participants = self.notes.participants[self.stay]
        withdrew = participants["kept"][participants["has_withdrawn"]]
        dropped = {reason: int(participants[reason.name].sum(dtype=numpy.int64)) for reason in Dropped}
        kept = int(participants["kept"].sum(dtype=numpy.int64))
        summary.runs += int(participants["runs"].sum(dtype=numpy.int64))
        summary.participants += len(participants)
        summary.messages += kept + sum(dropped.values())
        summary.kept += kept
        summary.withdrawn_messages += int(withdrew.sum(dtype=numpy.int64))
        summary.withdrawn_participants += int(numpy.count_nonzero(withdrew))
        summary.individuals += int(numpy.count_nonzero(participants["kept"]) - numpy.count_nonzero(withdrew))
        summary.dropped.update({reason: count for reason, count in dropped.items() if count})
        self._add_sent(summary)
        summary.keys |= self.notes.keys
        changed = set(self.changed.tolist())
        summary.losses.extend(loss for loss in self.notes.losses if loss[0] not in changed)
        for number, plan in enumerate(self.project.coding_plans.all):
            texts = self.texts.of_plan(number, self.stay)
            if plan.coda_filename is not None:
                written = summary.texts.setdefault(plan.raw_field, CodaTexts())
                _add_texts(written, texts, self.known_texts[plan.raw_field], datasets[plan.raw_field])
                _add_contradictions(summary, str(plan.coda_dataset), texts, datasets[plan.raw_field])
            if plan.raw_field in self.notes.samples:
                stays = _what_stays(self.notes.samples[plan.raw_field], texts)
                if stays.smallest:
                    summary.samples.setdefault(plan.raw_field, IcrSample()).merge(stays)

    def _add_sent(self, summary: Summary) -> None:
        sent = self.notes.sent[numpy.repeat(self.stay, self.notes.participants["sent"])]
        counts = numpy.bincount(sent["plan"], sent["messages"]).astype(int).tolist()
        for plan, messages in zip(self.project.coding_plans.rqa, counts, strict=False):
            summary.sent[plan.raw_field] += messages


def _add_texts(new: CodaTexts, texts: NotedTexts, known: Mapping[int, str], dataset: CodedDataset) -> None:
    """Count in who wrote texts before: those that are new too, and the others that are known; nobody asks for the rest."""
    written = find_written(texts)
    wording = {**known, **{start_of_id(dataset.find(text)[0]): text for text in new.first_written}}
    for number, first, is_staying in zip(
        written.ids.tolist(), written.first_written.tolist(), written.are_staying.tolist(), strict=True
    ):
        text = wording.get(number)
        if text is not None:
            new.add(text, first, is_staying)


def _add_contradictions(summary: Summary, name: str, texts: NotedTexts, dataset: CodedDataset) -> None:
    uses = texts.uses[texts.uses["contradictions"] > 0]
    if len(uses):
        message_ids = dataset.message_ids()
        ids, positions = numpy.unique(uses["id"], return_inverse=True)
        for number, times in zip(ids.tolist(), numpy.bincount(positions, uses["contradictions"]).tolist(), strict=True):
            summary.contradictions[name, message_ids[number]] += int(times)


def _what_stays(sample: IcrSample, texts: NotedTexts) -> IcrSample:
    are_there = numpy.isin(find_in_sample(sample), mark(texts.uses["id"], texts.uses["sample_key"]))
    return IcrSample(
        {text: key for (text, key), is_there in zip(sample.smallest.items(), are_there, strict=True) if is_there}
    )


def find_unchanged(
    project: Project,
    notes: RunNotes,
    lines: Lines,
    datasets: Mapping[str, CodedDataset],
    labels: numpy.ndarray,
    is_coded: bool,
) -> Unchanged | None:
    """Find out what stays of the last run, from its notes and the lines and labels that there are now; None if too little does."""
    hashes = notes.participants["hash"]
    texts = find_noted_texts(notes)
    other_lines = _find_other_lines(notes.lines, lines)
    stay = ~are_among(hashes, other_lines)
    relabelled = _find_relabelled(notes.labels, labels)
    stay[texts.owners[are_among(mark(texts.uses["id"], texts.uses["plan"]), relabelled)]] = False
    # Notes have no texts. Where one is wanted now that the last run did not write down, those are made anew who wrote it.
    known_texts = {}
    for number, plan in enumerate(project.coding_plans.all):
        of_plan = texts.of_plan(number, stay)
        if plan.coda_filename is not None:
            known = known_texts[plan.raw_field] = read_texts(notes.outputs / "Coda Files" / plan.coda_filename)
            unknown = _find_unknown_texts(of_plan, known, datasets[plan.raw_field], is_coded)
            stay[of_plan.owners[are_among(of_plan.uses["id"], unknown)]] = False
        if plan.icr_filename is not None:
            chosen = of_plan.choose_sample()
            known_sample = find_in_sample(notes.samples.get(plan.raw_field, IcrSample()))
            are_known = numpy.isin(mark(chosen.uses["id"], chosen.uses["sample_key"]), known_sample)
            stay[chosen.owners[~are_known]] = False
    changed = numpy.union1d(other_lines, hashes[~stay])
    stay = ~are_among(hashes, changed)
    there_are = len(numpy.unique(lines.places["hash"]))
    changed_count = int(there_are - numpy.count_nonzero(stay))
    if changed_count > there_are * _LARGEST_SHARE:
        log.info("Full run: %d of %d participant(s) changed", changed_count, there_are)
        return None
    log.info("%d of %d participant(s) changed; kept the last run's results for the rest", changed_count, there_are)
    return Unchanged(project, notes, texts, known_texts, stay, changed)


def _find_other_lines(old: Lines, new: Lines) -> numpy.ndarray:
    """The hashes of participants whose lines are not the same, or not in the same order; of those too who came or went."""
    old_hashes, old_digests = _digest_by_participant(old)
    new_hashes, new_digests = _digest_by_participant(new)
    unchanged = numpy.intersect1d(mark(old_hashes, old_digests), mark(new_hashes, new_digests))
    return numpy.union1d(
        old_hashes[~are_among(mark(old_hashes, old_digests), unchanged)],
        new_hashes[~are_among(mark(new_hashes, new_digests), unchanged)],
    )


def _digest_by_participant(lines: Lines) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The participants' hashes in order, and a digest of each one's lines."""
    hashes, starts, counts = numpy.unique(lines.places["hash"], return_index=True, return_counts=True)
    if not len(hashes):
        return hashes, hashes
    position = numpy.arange(len(lines.places)) - numpy.repeat(starts, counts)
    order = position.astype(numpy.uint64) << numpy.uint64(16) | lines.places["file"]
    return hashes, numpy.add.reduceat(mark(lines.digests, order), starts)


def _find_relabelled(old: numpy.ndarray, new: numpy.ndarray) -> numpy.ndarray:
    """The marks, in order, of the texts that have other labels than before, or have them no longer."""
    marked_old, marked_new = (mark(labels["id"], labels["plan"]) for labels in (old, new))
    digested_old, digested_new = mark(marked_old, old["digest"]), mark(marked_new, new["digest"])
    return numpy.union1d(
        marked_old[~numpy.isin(digested_old, digested_new)], marked_new[~numpy.isin(digested_new, digested_old)]
    )


def _find_unknown_texts(
    texts: NotedTexts, known: Mapping[int, str], dataset: CodedDataset, is_coded: bool
) -> numpy.ndarray:
    """The starts of the ids, in order, of texts that belong in the Coda file and were not in the last run's."""
    written = find_written(texts)
    are_unknown = ~numpy.isin(written.ids, numpy.fromiter(known, numpy.uint64, len(known)))
    if is_coded and are_unknown.any():
        in_coda = numpy.isin(written.ids, numpy.fromiter(dataset.message_ids(), numpy.uint64))
        are_unknown &= written.are_staying | in_coda
    return written.ids[are_unknown]
