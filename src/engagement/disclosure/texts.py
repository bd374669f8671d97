"""What people wrote, before it goes to Drive: without phone numbers, and with a note of which messages held one."""

from engagement.cleaning.phone_numbers import mask_phone_numbers
from engagement.coding.coded_datasets import message_id_of
from engagement.disclosure.findings import Findings
from engagement.files import guard_cell

_SHORTEST_NUMBER = 7


class TextGate:
    """Masks phone numbers, and notes the messages in `findings`. With `lets_pass` texts stay as they are."""

    def __init__(self, findings: Findings, lets_pass: bool = False) -> None:
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

    def pass_guarded(self, cell: str, dataset: str) -> str:
        """The same for a cell that was made safe for spreadsheets: the apostrophe is no part of the message."""
        text = cell[1:] if cell.startswith("'") and guard_cell(cell[1:]) == cell else cell
        passed = self.pass_text(text, dataset)
        return cell if passed == text else guard_cell(passed)
