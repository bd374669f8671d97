"""What people wrote, before it goes to Drive: without phone numbers, and with a note of which messages held one."""

from engagement.delivery.disclosure.findings import DisclosureFindings
from engagement.foundation.csv_cells import guard_cell, remove_guard
from engagement.pipeline.coding.cleaning.phone_numbers import mask_phone_numbers
from engagement.pipeline.coding.coded_datasets import message_id_of

_SHORTEST_NUMBER = 7


class TextGate:
    """Masks phone numbers, and notes the messages in `findings`. With `lets_pass` texts stay as they are."""

    def __init__(self, findings: DisclosureFindings, lets_pass: bool = False) -> None:
        self.findings = findings
        self._lets_pass = lets_pass

    def pass_text(self, text: str, dataset: str | None = None) -> str:
        """A text as it may leave this machine; noted as a message of `dataset`, if that is given."""
        # Most texts are looked at no longer than this.
        if self._lets_pass or len(text) < _SHORTEST_NUMBER:
            return text
        masked = mask_phone_numbers(text)
        if masked != text and dataset is not None:
            self.findings.texts.add((dataset, message_id_of(text)))
        return masked

    def pass_cell(self, cell: str, dataset: str | None, is_guarded: bool) -> str:
        """The same for a cell of a table, made safe for spreadsheets; if it is already, its apostrophe is no part of the message."""
        return guard_cell(self.pass_text(remove_guard(cell) if is_guarded else cell, dataset))
