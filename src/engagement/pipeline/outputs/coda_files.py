"""Make Coda files: one message for each distinct text of a dataset, with labels proposed by cleaners."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engagement.foundation.microseconds import make_instant
from engagement.pipeline.coding.automatic import AutomaticCoder
from engagement.pipeline.coding.coded_datasets import CodedDataset, message_id_of
from engagement.pipeline.messages.blank_texts import visible_text
from engagement.pipeline.messages.instants import write_instant


@dataclass
class CodaTexts:
    """The distinct texts of one dataset.

    Each has the time it was first written (microseconds since 1970), and whether anyone who did not withdraw wrote it.
    """

    first_written: dict[str, int] = field(default_factory=dict)
    staying: set[str] = field(default_factory=set)

    def add(self, text: str, time: int, is_staying: bool) -> None:
        """Add a text."""
        known = self.first_written.get(text)
        if known is None or time < known:
            self.first_written[text] = time
        if is_staying:
            self.staying.add(text)

    def merge(self, other: "CodaTexts") -> None:
        """Add the texts of another partition."""
        for text, time in other.first_written.items():
            self.add(text, time, text in other.staying)


def make_coda_messages(
    texts: CodaTexts, coder: AutomaticCoder, coded: CodedDataset, leave_out_withdrawn: bool
) -> list[Mapping[str, Any]]:
    """Make the messages of a dataset's Coda file, sorted by creation time, then id.

    A text of only invisible characters is left out unless Coda already has it: coders would see an empty line. With
    `leave_out_withdrawn`, so is a text written only by participants who withdrew.
    """
    messages = []
    for text, time in _chosen(texts, coded, leave_out_withdrawn):
        created = write_instant(make_instant(time))
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
        # Texts of only white space have always gone to Coda, and projects have labels on them.
        is_shown = text.isspace() or visible_text(text)
        if text in coded or (is_shown and (not leave_out_withdrawn or text in texts.staying)):
            yield text, time
