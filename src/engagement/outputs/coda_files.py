"""Coda files: one message for each distinct text of a dataset, with the labels that cleaners propose."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engagement.coding.automatic import AutomaticCoder
from engagement.coding.coded_datasets import CodedDataset, message_id_of
from engagement.messages.instants import EPOCH, MICROSECOND, write_instant


@dataclass
class CodaTexts:
    """The distinct texts of one dataset: when each was first written, and whether somebody wrote it who did not withdraw.

    Times are microseconds since 1970.
    """

    first_written: dict[str, int] = field(default_factory=dict)
    staying: set[str] = field(default_factory=set)

    def add(self, text: str, time: int, is_staying: bool) -> None:
        """Count a text in."""
        known = self.first_written.get(text)
        if known is None or time < known:
            self.first_written[text] = time
        if is_staying:
            self.staying.add(text)

    def merge(self, other: "CodaTexts") -> None:
        """Count in the texts of another partition."""
        for text, time in other.first_written.items():
            self.add(text, time, text in other.staying)


def make_coda_messages(
    texts: CodaTexts, coder: AutomaticCoder, coded: CodedDataset, leave_out_withdrawn: bool
) -> list[Mapping[str, Any]]:
    """The messages of a dataset's Coda file, sorted by creation time, then id.

    With `leave_out_withdrawn`, a text that only participants wrote who withdrew is left out unless Coda has it already.
    """
    messages = []
    for text, time in _chosen(texts, coded, leave_out_withdrawn):
        created = write_instant(EPOCH + time * MICROSECOND)
        messages.append(
            {
                "MessageID": message_id_of(text),
                "Text": text,
                "CreationDateTimeUTC": created,
                "Labels": coder.propose(text, created),
            }
        )
    return sorted(messages, key=lambda message: (message["CreationDateTimeUTC"], message["MessageID"]))


def _chosen(texts: CodaTexts, coded: CodedDataset, leave_out_withdrawn: bool) -> Iterable[tuple[str, int]]:
    for text, time in texts.first_written.items():
        if not leave_out_withdrawn or text in texts.staying or text in coded:
            yield text, time
