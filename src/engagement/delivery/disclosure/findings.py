"""The gate's findings: ids and row numbers, never texts."""

from collections.abc import Iterable
from dataclasses import dataclass, field

PHONE_NUMBER, RARE_COMBINATION = "phone number", "rare combination"


@dataclass
class DisclosureFindings:
    """Findings that must not leave this machine.

    `texts` are the (dataset, message id) pairs of texts with phone numbers. `rare` are the uids of participants whose
    combination of answers is too rare. `withdrawn` describes rows of participants who are no longer in the outputs.
    """

    texts: set[tuple[str, str]] = field(default_factory=set)
    rare: set[str] = field(default_factory=set)
    withdrawn: list[str] = field(default_factory=list)

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """Rows of the list for people: Finding, Dataset, ID."""
        yield from ((PHONE_NUMBER, dataset, message_id) for dataset, message_id in sorted(self.texts))
        yield from ((RARE_COMBINATION, "", uid) for uid in sorted(self.rare))

    def problems(self) -> list[str]:
        """The findings in words, for an error."""
        return [
            *(
                f"dataset {dataset!r}, message {message_id}: a phone number"
                for dataset, message_id in sorted(self.texts)
            ),
            *(f"participant {uid}: a combination that too few participants share" for uid in sorted(self.rare)),
        ]
