"""Notes of a run on every participant: numbers, sizes and hashes, never a text.

`participants` has a record for each, in the order of their hashed uids; `texts` has one for each of their texts that was looked up
in a dataset, and `sent` one for each episode that they wrote to, participant by participant.
"""

from collections import Counter
from collections.abc import Sequence, Set
from pathlib import Path

import numpy

from engagement.configuration import CodingPlan
from engagement.foundation.microseconds import count_microseconds
from engagement.foundation.record_files import make_packer
from engagement.pipeline.coding.coded_datasets import CodedDataset, message_id_of, start_of_id
from engagement.pipeline.messages.filters import Dropped
from engagement.pipeline.messages.instants import parse_instant
from engagement.pipeline.outputs.parts import open_part, part_path
from engagement.processing.records.participants import Participant

PARTICIPANTS, TEXTS, SENT_MESSAGES = "participants", "texts", "sent"
# The summary's counts, and each participant's share of the files in participants' order: rows of the tables for the analysis, bytes
# of the traced data, `texts` and `sent`.
PARTICIPANT = numpy.dtype(
    [("hash", "<u8"), ("runs", "<u4"), ("kept", "<u4"), *((reason.name, "<u4") for reason in Dropped), ("has_withdrawn", "?"),
     ("message_rows", "<u4"), ("individual_rows", "<u1"), ("messages_bytes", "<u8"), ("individual_bytes", "<u8"),
     ("texts", "<u4"), ("sent", "<u2")]
)  # fmt: skip
# The start of the message id, the number of the plan, the time it was first written in a kept message (microseconds since 1970),
# the start of its smallest hash for the ICR sample, and the number of messages that it makes a coding error.
TEXT = numpy.dtype(
    [("id", "<u8"), ("plan", "<u2"), ("first_written", "<i8"), ("sample_key", "<u8"), ("contradictions", "<u4")]
)
# The number of the episode's plan, and the number of messages sent to it.
SENT = numpy.dtype([("plan", "<u2"), ("messages", "<u4")])
_pack_participant, _pack_text, _pack_sent = map(make_packer, (PARTICIPANT, TEXT, SENT))
NEVER = 2**63 - 1
NO_KEY = 2**64 - 1
_NONE_DROPPED = [0] * len(Dropped)


class TextUses:
    """Texts of one plan that one participant wrote, with the notes on them."""

    def __init__(self, number: int, plan: CodingPlan, dataset: CodedDataset | None) -> None:
        self.plan = plan
        self.first_written: dict[str, int] = {}
        self._number = number
        self._dataset = dataset
        self._sample_keys: dict[str, int] = {}

    def write(self, text: str, time: str | None) -> None:
        """Note that a text was written at that time (ISO 8601); coders do not see one without a time."""
        if time is None:
            return
        microseconds = count_microseconds(parse_instant(time))
        known = self.first_written.get(text)
        if known is None or microseconds < known:
            self.first_written[text] = microseconds

    def sample(self, text: str, key: str) -> None:
        """Note a text's hash for the ICR sample."""
        self._sample_keys[text] = min(int(key[:16], 16), self._sample_keys.get(text, NO_KEY))

    def take(self, looked_up: Sequence[Set[str]], contradictions: Counter[tuple[str, str]]) -> list[bytes]:
        """Return the records of the participant's texts, and forget the texts.

        `looked_up` are the texts that were looked up, for each plan.
        """
        # The participant's results depend on the labels of every text that was looked up.
        labelled = () if self._dataset is None else looked_up[self._number]
        if not (labelled or self.first_written or self._sample_keys):
            return []
        texts = {*labelled, *self.first_written, *self._sample_keys}
        records = []
        for text in texts:
            message_id = message_id_of(text) if self._dataset is None else self._dataset.find(text)[0]
            errors = contradictions[str(self.plan.coda_dataset), message_id] if contradictions else 0
            first, key = self.first_written.get(text, NEVER), self._sample_keys.get(text, NO_KEY)
            records.append(_pack_text(start_of_id(message_id), self._number, first, key, errors))
        self.first_written.clear()
        self._sample_keys.clear()
        return records


class Records:
    """The records of one partition."""

    def __init__(self, uses: Sequence[TextUses], episodes: Sequence[CodingPlan]) -> None:
        self._uses = uses
        self._numbers = {plan.raw_field: number for number, plan in enumerate(episodes)}
        self._participants: list[bytes] = []
        self._texts: list[bytes] = []
        self._sent: list[bytes] = []

    def add(self, hashed: int, runs: int, participant: Participant, messages_bytes: int, individual_bytes: int) -> None:
        """Note a participant, with the notes taken on their texts since the last one."""
        texts = [
            record for uses in self._uses for record in uses.take(participant.looked_up, participant.contradictions)
        ]
        self._texts += texts
        sent = sorted((self._numbers[raw_field], messages) for raw_field, messages in participant.sent.items())
        self._sent += [_pack_sent(*record) for record in sent]
        dropped = [participant.dropped[reason] for reason in Dropped] if participant.dropped else _NONE_DROPPED
        kept, is_coded = len(participant.messages), participant.individual is not None
        self._participants.append(
            _pack_participant(
                hashed, runs, kept, *dropped, participant.has_withdrawn,
                kept if is_coded else 0, is_coded, messages_bytes, individual_bytes, len(texts),
                len(sent),
            )
        )  # fmt: skip

    def write(self, scratch: Path, number: int) -> None:
        """Write them as the parts of a partition."""
        for name, records in (
            (PARTICIPANTS, self._participants),
            (TEXTS, self._texts),
            (SENT_MESSAGES, self._sent),
        ):
            with open_part(part_path(scratch, name, number)) as file:
                file.write(b"".join(records))


def read_participants(scratch: Path, partitions: int) -> numpy.ndarray:
    """Read the records of the participants of all partitions."""
    parts = [numpy.fromfile(part_path(scratch, PARTICIPANTS, number), PARTICIPANT) for number in range(partitions)]
    return numpy.concatenate(parts)
