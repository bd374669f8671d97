"""What the gate found: ids and numbers of rows, never what was written."""

from collections.abc import Iterable
from dataclasses import dataclass, field

PHONE_NUMBER, RARE_COMBINATION = "phone number", "rare combination"


@dataclass
class DisclosureFindings:
    """What may not leave this machine.

    `texts` are the pairs of dataset and message id whose text holds a phone number, `rare` the uids of participants whose
    combination of answers too few share. `withdrawn` tells, in words, of rows of participants who are not in the
    outputs any more.
    """

    texts: set[tuple[str, str]] = field(default_factory=set)
    rare: set[str] = field(default_factory=set)
    withdrawn: list[str] = field(default_factory=list)

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """The rows of the list that a person reads: Finding, Dataset, ID."""
        yield from ((PHONE_NUMBER, dataset, message_id) for dataset, message_id in sorted(self.texts))
        yield from ((RARE_COMBINATION, "", uid) for uid in sorted(self.rare))

    def problems(self) -> list[str]:
        """The same in words, for an error."""
        return [
            *(
                f"dataset {dataset!r}, message {message_id}: a phone number"
                for dataset, message_id in sorted(self.texts)
            ),
            *(f"participant {uid}: a combination that too few share" for uid in sorted(self.rare)),
        ]
