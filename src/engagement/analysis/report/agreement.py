"""How far coders agree, for the report, where coders' sheets were compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engagement.analysis.report.tables import PageTable, make_table
from engagement.foundation.files import reading_csv

_FILE = Path("statistics") / "agreement.csv"
_SHOWN = {"krippendorff_alpha": "Krippendorff's alpha", "gwet_ac1": "Gwet's AC1"}
_NEEDED = {"level", "code", "coefficient", "messages", "estimate", "low_bootstrap", "high_bootstrap"}


def tabulate_agreement(folder: Path) -> PageTable | None:
    """Build the table of alpha and AC1, of all codes and of each; None where no sheets were compared."""
    path = folder / _FILE
    if not path.exists():
        return None
    rows = [
        [_name(row), _SHOWN[row["coefficient"]], int(row["messages"]),
         _round(row["estimate"]), f"{_round(row['low_bootstrap'])}–{_round(row['high_bootstrap'])}"]
        for row in _read(path)
        if row["coefficient"] in _SHOWN
    ]  # fmt: skip
    note = "Of the messages that two or more coders coded; intervals by bootstrap over messages."
    header = ["Code", "Coefficient", "Messages", "Estimate", "95 % interval"]
    return make_table("How far coders agree", header, rows, notes=[note]) if rows else None


def _read(path: Path) -> Iterator[dict[str, str]]:
    with reading_csv(path) as lines:
        header = next(lines, [])
        if set(header) >= _NEEDED:
            for line in lines:
                yield dict(zip(header, line, strict=True))


def _name(row: dict[str, str]) -> str:
    return " ".join(filter(None, (row.get("dataset", ""), row["code"] or "all codes together")))


def _round(figure: str) -> str:
    return f"{float(figure):.2f}" if figure else "–"
