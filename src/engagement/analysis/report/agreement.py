"""The table of how far coders agree, where coders' sheets were compared."""

from __future__ import annotations

from collections.abc import Mapping

from engagement.analysis.report.coder_agreement import AC1, ALPHA, CoderAgreement, round_figure
from engagement.analysis.report.tables import PageTable, make_table


def tabulate_agreement(agreement: CoderAgreement) -> PageTable | None:
    """Build the table of alpha and AC1, of all codes and of each; None where no sheets were compared."""
    rows = [
        [_name(next(iter(found.values()))), int(next(iter(found.values()))["messages"]),
         *(cell for coefficient in (ALPHA, AC1) for cell in _say(found.get(coefficient)))]
        for found in agreement.by_theme.values()
    ]  # fmt: skip
    note = "Of the messages that two or more coders coded; 95 % by bootstrap over messages."
    header = ["Code", "Messages", "Krippendorff's alpha", "Alpha, 95 %", "Gwet's AC1", "AC1, 95 %"]
    return make_table("How far coders agree", header, rows, notes=[note]) if rows else None


def _say(row: Mapping[str, str] | None) -> tuple[str, str]:
    return (round_figure(row["estimate"]), _say_interval(row)) if row else ("", "")


def _name(row: Mapping[str, str]) -> str:
    return " ".join(filter(None, (row.get("dataset", ""), row["code"] or "all codes together")))


def _say_interval(row: Mapping[str, str]) -> str:
    low, high = (round_figure(row[name]) for name in ("low_bootstrap", "high_bootstrap"))
    # An end may be negative, so that a dash between them could be read as a sign.
    return "–" if low == high == "–" else f"{low} to {high}"
