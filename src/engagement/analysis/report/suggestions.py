"""Suggestions, for the report: how many, how right where nobody saw them, and who follows them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engagement.analysis.report.tables import PageTable, make_table
from engagement.analysis.tables.suggestion_results import SUGGESTIONS
from engagement.foundation.files import reading_csv

_NOTES = (
    "Right unseen: of messages that coders saw without a suggestion, the share of those that would have got one where coders chose the "
    "same; 95 % by Wilson. Kept: the share of suggestions that coders ticked as they were.",
    "Coders follow: they keep suggestions more often than they agree with them unseen, by more than chance. Have some labelled twice.",
)
_HEADER = (
    "Dataset",
    "Scheme",
    "Texts without a label",
    "Suggested",
    "Right unseen",
    "Kept",
    "Coders follow",
    "Why no more",
)


def read_suggestions(folder: Path) -> list[list[str]]:
    """Read the rows of suggestions.csv beside the report; nothing if it is not there."""
    path = folder / SUGGESTIONS
    if not path.exists():
        return []
    with reading_csv(path) as lines:
        next(lines, None)
        return list(lines)


def tabulate_suggestions(rows: Sequence[Sequence[str]]) -> PageTable | None:
    """Build the table of suggestions of each dataset and scheme; None without any."""
    if not rows:
        return None
    few, cells = [], []
    for dataset, scheme, _, unlabelled, suggested, why_none, _, *shares, follow, codes in rows:
        cells.append([dataset, scheme, unlabelled, suggested, _say(shares[:3]), _say(shares[3:]), follow, why_none])
        if codes:
            few.append(f"{dataset}, {scheme}: too few examples to suggest {codes}.")
    return make_table("Suggestions", _HEADER, cells, notes=[*_NOTES, *few])


def _say(interval: Sequence[str]) -> str:
    share, low, high = interval
    return f"{share} % ({low} to {high})" if share else ""
