"""The tables of how far coders agree: in all, by code, and by week."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engagement.analysis.report.coder_agreement import AC1, ALPHA, CoderAgreement, round_figure
from engagement.analysis.report.tables import PageTable, make_table

_COEFFICIENTS = ["Krippendorff's alpha", "Alpha, 95 %", "Gwet's AC1", "AC1, 95 %"]


def tabulate_agreement(agreement: CoderAgreement) -> list[PageTable]:
    """Build the tables of alpha and AC1, by code and by week; none where nobody was compared."""
    tables = []
    if agreement.by_theme:
        rows = [_make_row([_name(next(iter(found.values())))], found) for found in agreement.by_theme.values()]
        note = "Of the messages that two or more coders coded; 95 % by bootstrap over messages."
        tables.append(make_table("How far coders agree", ["Code", "Messages", *_COEFFICIENTS], rows, notes=[note]))
    if agreement.by_week:
        rows = [_make_row(place, found) for place, found in agreement.by_week.items()]
        note = "By the ISO week in which the second coder labelled; all codes together. A week has few messages: look at the intervals."
        header = ["Dataset", "Week", "Messages", *_COEFFICIENTS]
        tables.append(make_table("How far the two coders agree, by week", header, rows, notes=[note]))
    return tables


def _make_row(place: Iterable[str], found: Mapping[str, Mapping[str, str]]) -> list[object]:
    messages = int(next(iter(found.values()))["messages"])
    return [*place, messages, *(cell for name in (ALPHA, AC1) for cell in _say(found.get(name)))]


def _say(row: Mapping[str, str] | None) -> tuple[str, str]:
    return (round_figure(row["estimate"]), _say_interval(row)) if row else ("", "")


def _name(row: Mapping[str, str]) -> str:
    return " ".join(filter(None, (row.get("dataset", ""), row["code"] or "all codes together")))


def _say_interval(row: Mapping[str, str]) -> str:
    low, high = (round_figure(row[name]) for name in ("low_bootstrap", "high_bootstrap"))
    # An end may be negative, so that a dash between them could be read as a sign.
    return "–" if low == high == "–" else f"{low} to {high}"
