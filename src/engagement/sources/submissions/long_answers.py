"""Answers that are far too long: neither Coda nor a spreadsheet could take them."""

from collections.abc import Sequence

from engagement.services.listings import TOO_LARGE
from engagement.sources.submissions.submission import Submission, UnreadableSubmission

# A long report has some thousands; a document of Coda's database holds 1 MiB, which are 260,000 of any script.
_LONGEST = 100_000


def part_long(
    page: Sequence[tuple[Submission, str]],
) -> tuple[list[tuple[Submission, str]], list[UnreadableSubmission]]:
    """Part submissions with a far too long answer from the others, each with its participant."""
    usable: list[tuple[Submission, str]] = []
    long: list[UnreadableSubmission] = []
    for one, participant in page:
        answers = (*one.episode, *one.survey)
        field = next((answer.field for answer in answers if len(answer.text) > _LONGEST), None)
        if field is None:
            usable.append((one, participant))
        else:
            reason = f"{TOO_LARGE}the answer to {field!r} has more than {_LONGEST:,} characters"
            long.append(UnreadableSubmission(one.key, f"submission {one.key}", reason))
    return usable, long


def is_too_large(reason: str) -> bool:
    """Tell whether a submission was set aside for its size, which says nothing of the others."""
    return TOO_LARGE in reason
