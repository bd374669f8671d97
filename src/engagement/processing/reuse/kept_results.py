"""Add the last run's kept results to those of this run."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy

from engagement.configuration import Project
from engagement.foundation.hashes import hash_pairs
from engagement.pipeline.coding.coded_datasets import CodedDataset, start_of_id
from engagement.pipeline.messages.filters import Dropped
from engagement.pipeline.outputs.coda_files import CodaTexts
from engagement.pipeline.outputs.icr import IcrSample
from engagement.pipeline.outputs.participant_files import MergedParticipants
from engagement.pipeline.outputs.stretches import EarlierOutputs, interleave
from engagement.processing.reuse.noted_texts import NotedTexts, find_in_sample, find_written
from engagement.processing.reuse.run_notes import RunNotes
from engagement.processing.summary import Summary


@dataclass(frozen=True)
class KeptResults:
    """Results of the last run that are kept.

    `are_kept` tells for each participant in its notes whether their results are kept; `changed` are the starts of the hashes, in
    order, of all others and of new participants. `known_texts` are the texts of its Coda files, by raw field and start of id.
    """

    project: Project
    notes: RunNotes
    texts: NotedTexts
    known_texts: Mapping[str, Mapping[int, str]]
    are_kept: numpy.ndarray
    changed: numpy.ndarray

    @property
    def earlier_outputs(self) -> EarlierOutputs:
        """Return the last run's outputs, to copy the kept rows from."""
        return EarlierOutputs(self.notes.outputs, self.notes.folder, self.changed)

    def merge(self, new: numpy.ndarray) -> MergedParticipants:
        """Merge the records of the processed participants with those that are kept."""
        old = self.notes.participants
        return MergedParticipants(interleave(self.are_kept, numpy.searchsorted(old["hash"], new["hash"])), old, new)

    def add_to(self, summary: Summary, datasets: Mapping[str, CodedDataset]) -> None:
        """Add the kept results to the summary of the processed participants."""
        participants = self.notes.participants[self.are_kept]
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
            texts = self.texts.of_plan(number, self.are_kept)
            if plan.coda_filename is not None:
                written = summary.texts.setdefault(plan.raw_field, CodaTexts())
                _add_texts(written, texts, self.known_texts[plan.raw_field], datasets[plan.raw_field])
                _add_contradictions(summary, str(plan.coda_dataset), texts, datasets[plan.raw_field])
            if plan.raw_field in self.notes.samples:
                kept_sample = _find_kept_sample(self.notes.samples[plan.raw_field], texts)
                if kept_sample.smallest:
                    summary.samples.setdefault(plan.raw_field, IcrSample()).merge(kept_sample)

    def _add_sent(self, summary: Summary) -> None:
        sent = self.notes.sent[numpy.repeat(self.are_kept, self.notes.participants["sent"])]
        counts = numpy.bincount(sent["plan"], sent["messages"]).astype(int).tolist()
        for plan, messages in zip(self.project.coding_plans.rqa, counts, strict=False):
            summary.sent[plan.raw_field] += messages


def _add_texts(new: CodaTexts, texts: NotedTexts, known: Mapping[int, str], dataset: CodedDataset) -> None:
    """Add kept texts to the new ones, if either run knows their wording.

    No output needs the other texts.
    """
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


def _find_kept_sample(sample: IcrSample, texts: NotedTexts) -> IcrSample:
    are_there = numpy.isin(find_in_sample(sample), hash_pairs(texts.uses["id"], texts.uses["sample_key"]))
    return IcrSample(
        {text: key for (text, key), is_there in zip(sample.smallest.items(), are_there, strict=True) if is_there}
    )
