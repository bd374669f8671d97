"""The gate for texts: masks phone numbers and records the messages that had one."""

from engagement.delivery.disclosure.findings import DisclosureFindings
from engagement.foundation.csv_cells import guard_cell, remove_guard
from engagement.pipeline.coding.cleaning.phone_numbers import mask_phone_numbers
from engagement.pipeline.coding.coded_datasets import message_id_of

_SHORTEST_NUMBER = 7


class TextGate:
    """Masks phone numbers (not with `lets_pass`), and records their messages in `findings`."""

    def __init__(self, findings: DisclosureFindings, lets_pass: bool = False) -> None:
        self.findings = findings
        self._lets_pass = lets_pass

    def pass_text(self, text: str, dataset: str | None = None) -> str:
        """Return a text as it may leave this machine; record a finding under `dataset`, if given."""
        # Most texts need no closer look than this.
        if self._lets_pass or len(text) < _SHORTEST_NUMBER:
            return text
        masked = mask_phone_numbers(text)
        if masked != text and dataset is not None:
            self.findings.texts.add((dataset, message_id_of(text)))
        return masked

    def pass_cell(self, cell: str, dataset: str | None, is_guarded: bool) -> str:
        """Do the same for a table cell, and make it safe for spreadsheets.

        If it is safe already, its apostrophe is not part of the message.
        """
        return guard_cell(self.pass_text(remove_guard(cell) if is_guarded else cell, dataset))
