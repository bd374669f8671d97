"""Coders' agreement on an episode and on each theme, from statistics/agreement.csv."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from engagement.foundation.files import reading_csv

_FILE = Path("statistics") / "agreement.csv"
_FILE_BY_WEEK = Path("statistics") / "agreement_by_week.csv"
ALPHA, AC1 = "krippendorff_alpha", "gwet_ac1"
_NEEDED = {"level", "code", "coefficient", "messages", "estimate", "low_bootstrap", "high_bootstrap"}
_NEEDED_BY_WEEK = _NEEDED - {"level", "code"} | {"dataset", "week"}
_COLUMNS = ("Coders' alpha", "Coders' AC1", "Compared")
_NOTE = (
    "Coders' alpha and AC1: how far coders agreed on the theme, of the messages compared. Alpha is low on rare themes even where coders "
    "agree well, and AC1 is not; their intervals are in the table at the top."
)


@dataclass(frozen=True)
class CoderAgreement:
    """Rows of agreement.csv for alpha and AC1; none where no sheets were compared.

    `by_theme` has them by dataset and code ("" for all codes together), then by coefficient; `by_week` by dataset and week those of
    agreement_by_week.csv.
    """

    rows: Sequence[Mapping[str, str]] = ()
    rows_by_week: Sequence[Mapping[str, str]] = ()
    by_theme: dict[tuple[str, str], dict[str, Mapping[str, str]]] = field(init=False, default_factory=dict)
    by_week: dict[tuple[str, str], dict[str, Mapping[str, str]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            self.by_theme.setdefault((row.get("dataset", ""), row["code"]), {})[row["coefficient"]] = row
        for row in self.rows_by_week:
            self.by_week.setdefault((row["dataset"], row["week"]), {})[row["coefficient"]] = row

    def columns_of(self, dataset: str) -> tuple[str, ...]:
        """Return the columns that stand beside an episode's themes; none where nothing was compared."""
        return _COLUMNS if any(measured == dataset for measured, _ in self.by_theme) else ()

    def cells_of(self, dataset: str, theme: str) -> tuple[object, ...]:
        """Return these columns' cells for a theme (StringValue): alpha, AC1 and the messages compared."""
        if not self.columns_of(dataset):
            return ()
        found = self.by_theme.get((dataset, theme), {})
        if not found or not theme:
            return "", "", ""
        figures = (round_figure(found[name]["estimate"]) if name in found else "" for name in (ALPHA, AC1))
        return *figures, next(int(row["messages"]) for row in found.values())

    def notes_of(self, dataset: str) -> tuple[str, ...]:
        """Explain these columns."""
        return (_NOTE,) if self.columns_of(dataset) else ()

    def say(self) -> Iterator[str]:
        """Tell how far coders agree on all codes of each episode together."""
        for (dataset, code), found in self.by_theme.items():
            if dataset and not code and ALPHA in found and AC1 in found:
                alpha, ac1 = (round_figure(found[name]["estimate"]) for name in (ALPHA, AC1))
                yield f"{dataset}: alpha {alpha}, AC1 {ac1} (n = {int(found[AC1]['messages']):,} messages)"


def read_agreement(folder: Path) -> CoderAgreement:
    """Read how far coders agree, as icr and the statistics left it beside the report."""
    return CoderAgreement(list(_read(folder / _FILE, _NEEDED)), list(_read(folder / _FILE_BY_WEEK, _NEEDED_BY_WEEK)))


def _read(path: Path, needed: Set[str]) -> Iterator[dict[str, str]]:
    if not path.exists():
        return
    with reading_csv(path) as lines:
        header = next(lines, [])
        for line in lines if set(header) >= needed else ():
            row = dict(zip(header, line, strict=True))
            if row["coefficient"] in (ALPHA, AC1):
                yield row


def round_figure(figure: str) -> str:
    """Write a coefficient with two digits; a dash where it is not defined."""
    return f"{float(figure):.2f}" if figure else "–"
