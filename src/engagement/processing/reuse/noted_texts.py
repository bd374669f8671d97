"""Notes of the last run on participants' texts, as arrays."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy

from engagement.foundation.hashes import hash_pairs
from engagement.pipeline.coding.coded_datasets import message_id_of, start_of_id
from engagement.pipeline.outputs.icr import SAMPLE_SIZE, IcrSample
from engagement.processing.records.participant_notes import NEVER, NO_KEY
from engagement.processing.reuse.run_notes import RunNotes


@dataclass(frozen=True)
class NotedTexts:
    """Notes on texts, each with the number of its participant.

    `are_staying` tells whether that participant did not withdraw.
    """

    uses: numpy.ndarray
    owners: numpy.ndarray
    are_staying: numpy.ndarray

    def where(self, chosen: numpy.ndarray) -> "NotedTexts":
        """Select some of them, by a bool for each or by their numbers."""
        return NotedTexts(self.uses[chosen], self.owners[chosen], self.are_staying[chosen])

    def of_plan(self, number: int, are_kept: numpy.ndarray) -> "NotedTexts":
        """Select those of one plan, from participants whose results are kept."""
        return self.where((self.uses["plan"] == number) & are_kept[self.owners])

    def choose_sample(self) -> "NotedTexts":
        """Choose the ICR sample of one plan: each text's smallest hash, and the smallest of these."""
        hashed = self.where(self.uses["sample_key"] != NO_KEY)
        order = numpy.lexsort((hashed.uses["sample_key"], hashed.uses["id"]))
        ids = hashed.uses["id"][order]
        distinct = hashed.where(order[numpy.concatenate([[True], ids[1:] != ids[:-1]])[: len(ids)]])
        keys = distinct.uses["sample_key"]
        if len(keys) <= SAMPLE_SIZE:
            return distinct
        # A tie for the last hash would be broken by the wording of the texts, which is not known here.
        return distinct.where(keys <= numpy.partition(keys, SAMPLE_SIZE - 1)[SAMPLE_SIZE - 1])


def find_noted_texts(notes: RunNotes) -> NotedTexts:
    """Return the notes on the texts of all participants."""
    owners = numpy.repeat(numpy.arange(len(notes.participants)), notes.participants["texts"])
    return NotedTexts(notes.texts, owners, ~notes.participants["has_withdrawn"][owners])


@dataclass(frozen=True)
class WrittenTexts:
    """The distinct texts of one plan, by the starts of their ids, in order.

    Each has the time it was first written (microseconds since 1970), and whether anyone who did not withdraw wrote it.
    """

    ids: numpy.ndarray
    first_written: numpy.ndarray
    are_staying: numpy.ndarray


def find_written(texts: NotedTexts) -> WrittenTexts:
    """Find the distinct texts in the notes of one plan."""
    written = texts.where(texts.uses["first_written"] != NEVER)
    order = numpy.argsort(written.uses["id"])
    ids = written.uses["id"][order]
    starts = numpy.flatnonzero(numpy.concatenate([[True], ids[1:] != ids[:-1]])[: len(ids)])
    if not len(starts):
        return WrittenTexts(ids, written.uses["first_written"], written.are_staying)
    return WrittenTexts(
        ids[starts],
        numpy.minimum.reduceat(written.uses["first_written"][order], starts),
        numpy.logical_or.reduceat(written.are_staying[order], starts),
    )


class _CodaMessage(msgspec.Struct, rename={"message_id": "MessageID", "text": "Text"}):
    message_id: str
    text: str


_decoder = msgspec.json.Decoder(list[_CodaMessage])


def read_texts(coda_file: Path) -> dict[int, str]:
    """Read the texts of an output Coda file, by the starts of their ids."""
    return {start_of_id(message.message_id): message.text for message in _decoder.decode(coda_file.read_bytes())}


def find_in_sample(sample: IcrSample) -> numpy.ndarray:
    """Return a hash for each message of a sample, made from its text's id and its own hash."""
    pairs = [(start_of_id(message_id_of(text)), int(key[:16], 16)) for text, (key, _) in sample.smallest.items()]
    ids, keys = numpy.array(pairs, numpy.uint64).reshape(-1, 2).T
    return hash_pairs(ids, keys)
