"""Makers of the labels, for the report: coders, cleaners, suggestions, or nobody yet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engagement.analysis.report.tables import PageTable, make_table
from engagement.analysis.tables.label_origins import LABEL_ORIGINS, LabelOrigins
from engagement.foundation.files import reading_csv

_ALL = "all datasets"
_NOTES = (
    "By coders: labelled without a proposal of the pipeline, or otherwise than proposed. By cleaners, suggested: a coder ticked what a "
    "cleaner, or a suggestion learned from earlier labels, had proposed; coders tend to follow what they see.",
    "Shares of every text: no estimates, and without an interval.",
)
_NOTE_ON_RULES = "By rules: the pipeline coded the text without asking a coder, such as noise."


def read_label_origins(folder: Path) -> list[LabelOrigins]:
    """Read label_origins.csv beside the report; nothing if it is not there."""
    path = folder / LABEL_ORIGINS
    if not path.exists():
        return []
    with reading_csv(path) as lines:
        next(lines, None)
        return [LabelOrigins(dataset, *map(int, counts)) for dataset, *counts in lines]


def add_up(rows: Sequence[LabelOrigins]) -> LabelOrigins:
    """Add up all datasets."""
    return LabelOrigins(_ALL, *(sum(counts) for counts in list(zip(*rows, strict=True))[1:]))


def say_labels(rows: Sequence[LabelOrigins]) -> str:
    """Tell in one line who labelled how much.

    >>> say_labels([LabelOrigins("d", 200, 120, 50, 0, 0, 30, 10)])
    '60.0 % by coders, 25.0 % as cleaners proposed, 15.0 % not labelled; of 200 texts'
    """
    total = add_up(rows)
    others = [("as cleaners proposed", total.cleaners), ("as suggested", total.suggestions), ("by rules", total.rules)]
    parts = [
        ("by coders", total.coders), *((name, count) for name, count in others if count), ("not labelled", total.unlabelled)
    ]  # fmt: skip
    return ", ".join(f"{_share(count, total)} % {name}" for name, count in parts) + f"; of {total.texts:,} texts"


def tabulate_labels(rows: Sequence[LabelOrigins]) -> PageTable:
    """Build the table of each dataset's labels, all datasets first."""
    has_rules = any(row.rules for row in rows)
    header = [
        "Dataset", "Texts", "By coders %", "By cleaners %", "Suggested %", *["By rules %"] * has_rules,
        "Not labelled %", "Not labelled", "Of these, proposed",
    ]  # fmt: skip
    cells = [
        [row.dataset, row.texts, *(_share(count, row) for count in (row.coders, row.cleaners, row.suggestions)),
         *[_share(row.rules, row)] * has_rules, _share(row.unlabelled, row), row.unlabelled, row.proposed]
        for row in (*([add_up(rows)] if len(rows) > 1 else []), *rows)
    ]  # fmt: skip
    notes = (*_NOTES, *[_NOTE_ON_RULES] * has_rules)
    return make_table("Who labelled the distinct texts of each dataset", header, cells, notes=notes)


def _share(count: int, row: LabelOrigins) -> str:
    return f"{100 * count / row.texts:.1f}" if row.texts else "-"
