"""Find the participants whose data changed since the last run; its results are kept for all others.

A participant's results depend on the lines of their runs and on the labels of the texts that were looked up for them, and on
nothing else that can change while the last run's notes are valid.
"""

import logging
from collections.abc import Mapping

import numpy

from engagement.configuration import Project
from engagement.foundation.hashes import are_among, hash_pairs
from engagement.pipeline.coding.coded_datasets import CodedDataset
from engagement.pipeline.outputs.icr import IcrSample
from engagement.processing.records.raw_runs import LineLocations
from engagement.processing.reuse.kept_results import KeptResults
from engagement.processing.reuse.noted_texts import (
    NotedTexts,
    find_in_sample,
    find_noted_texts,
    find_written,
    read_texts,
)
from engagement.processing.reuse.run_notes import RunNotes

log = logging.getLogger(__name__)

# If more changed, a full run is just as quick.
_LARGEST_SHARE = 0.3


def find_kept_results(
    project: Project,
    notes: RunNotes,
    lines: LineLocations,
    datasets: Mapping[str, CodedDataset],
    labels: numpy.ndarray,
    is_coded: bool,
    moved: numpy.ndarray,
) -> KeptResults | None:
    """Compare the last run's notes with the current lines and labels.

    `moved` are participants who joined or left a listening group, by hash. Returns None if too much changed to keep anything.
    """
    hashes = notes.participants["hash"]
    texts = find_noted_texts(notes)
    other_lines = numpy.union1d(_find_other_lines(notes.lines, lines), moved)
    are_kept = ~are_among(hashes, other_lines)
    relabelled = _find_relabelled(notes.labels, labels)
    are_kept[texts.owners[are_among(hash_pairs(texts.uses["id"], texts.uses["plan"]), relabelled)]] = False
    # Notes hold no texts. If an output needs one that the last run did not write down, its participant is processed again.
    known_texts = {}
    for number, plan in enumerate(project.coding_plans.all):
        of_plan = texts.of_plan(number, are_kept)
        if plan.coda_filename is not None:
            known = known_texts[plan.raw_field] = read_texts(notes.outputs / "Coda Files" / plan.coda_filename)
            unknown = _find_unknown_texts(of_plan, known, datasets[plan.raw_field], is_coded)
            are_kept[of_plan.owners[are_among(of_plan.uses["id"], unknown)]] = False
        if plan.icr_filename is not None:
            chosen = of_plan.choose_sample()
            known_sample = find_in_sample(notes.samples.get(plan.raw_field, IcrSample()))
            are_known = numpy.isin(hash_pairs(chosen.uses["id"], chosen.uses["sample_key"]), known_sample)
            are_kept[chosen.owners[~are_known]] = False
    changed = numpy.union1d(other_lines, hashes[~are_kept])
    are_kept = ~are_among(hashes, changed)
    participant_count = len(numpy.unique(lines.places["hash"]))
    changed_count = int(participant_count - numpy.count_nonzero(are_kept))
    if changed_count > participant_count * _LARGEST_SHARE:
        log.info("Full run: %d of %d participant(s) changed", changed_count, participant_count)
        return None
    log.info(
        "%d of %d participant(s) changed; kept the last run's results for the rest", changed_count, participant_count
    )
    return KeptResults(project, notes, texts, known_texts, are_kept, changed)


def _find_other_lines(old: LineLocations, new: LineLocations) -> numpy.ndarray:
    """Find the participants, by hash, who are new or gone, or whose lines changed or moved."""
    old_hashes, old_digests = _digest_by_participant(old)
    new_hashes, new_digests = _digest_by_participant(new)
    unchanged = numpy.intersect1d(hash_pairs(old_hashes, old_digests), hash_pairs(new_hashes, new_digests))
    return numpy.union1d(
        old_hashes[~are_among(hash_pairs(old_hashes, old_digests), unchanged)],
        new_hashes[~are_among(hash_pairs(new_hashes, new_digests), unchanged)],
    )


def _digest_by_participant(lines: LineLocations) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Return the participants' hashes in order, and a digest of each one's lines."""
    hashes, starts, counts = numpy.unique(lines.places["hash"], return_index=True, return_counts=True)
    if not len(hashes):
        return hashes, hashes
    position = numpy.arange(len(lines.places)) - numpy.repeat(starts, counts)
    order = position.astype(numpy.uint64) << numpy.uint64(16) | lines.places["file"]
    return hashes, numpy.add.reduceat(hash_pairs(lines.digests, order), starts)


def _find_relabelled(old: numpy.ndarray, new: numpy.ndarray) -> numpy.ndarray:
    """Return a hash, in order, for each text and plan whose labels changed or are gone."""
    old_texts, new_texts = (hash_pairs(labels["id"], labels["plan"]) for labels in (old, new))
    old_digests, new_digests = hash_pairs(old_texts, old["digest"]), hash_pairs(new_texts, new["digest"])
    return numpy.union1d(
        old_texts[~numpy.isin(old_digests, new_digests)], new_texts[~numpy.isin(new_digests, old_digests)]
    )


def _find_unknown_texts(
    texts: NotedTexts, known: Mapping[int, str], dataset: CodedDataset, is_coded: bool
) -> numpy.ndarray:
    """Find the texts that belong in the Coda file but were not in the last run's, by starts of ids."""
    written = find_written(texts)
    are_unknown = ~numpy.isin(written.ids, numpy.fromiter(known, numpy.uint64, len(known)))
    if is_coded and are_unknown.any():
        in_coda = numpy.isin(written.ids, numpy.fromiter(dataset.message_ids(), numpy.uint64))
        are_unknown &= written.are_staying | in_coda
    return written.ids[are_unknown]
