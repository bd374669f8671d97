"""The table of how far coders agree, where coders' sheets were compared."""

from __future__ import annotations

from collections.abc import Mapping

from engagement.analysis.report.coder_agreement import AC1, ALPHA, CoderAgreement, round_figure
from engagement.analysis.report.tables import PageTable, make_table

_NAMES = {ALPHA: "Krippendorff's alpha", AC1: "Gwet's AC1"}


def tabulate_agreement(agreement: CoderAgreement) -> PageTable | None:
    """Build the table of alpha and AC1, of all codes and of each; None where no sheets were compared."""
    rows = [
        [
            _name(row),
            _NAMES[row["coefficient"]],
            int(row["messages"]),
            round_figure(row["estimate"]),
            _say_interval(row),
        ]
        for row in agreement.rows
    ]
    note = "Of the messages that two or more coders coded; intervals by bootstrap over messages."
    header = ["Code", "Coefficient", "Messages", "Estimate", "95 % interval"]
    return make_table("How far coders agree", header, rows, notes=[note]) if rows else None


def _name(row: Mapping[str, str]) -> str:
    return " ".join(filter(None, (row.get("dataset", ""), row["code"] or "all codes together")))


def _say_interval(row: Mapping[str, str]) -> str:
    low, high = (round_figure(row[name]) for name in ("low_bootstrap", "high_bootstrap"))
    # An end may be negative, so that a dash between them could be read as a sign.
    return "–" if low == high == "–" else f"{low} to {high}"
