"""How far coders agree on episodes, as icr left it in the data root: agreement.csv."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from engagement.analysis.tables.season import Season
from engagement.labelling.agreement.stored_results import read_result

ALL_CODES, CODE = "all codes", "code"


class AgreementRow(NamedTuple):
    """A row of agreement.csv; an estimate is None where it is not defined, as alpha when nothing varies."""

    level: str
    code: str
    coefficient: str
    messages: int
    estimate: float | None
    low_bootstrap: float | None
    high_bootstrap: float | None
    dataset: str


def list_agreement(season: Season, data_root: Path) -> list[AgreementRow]:
    """List the coefficients of each measured episode, for all codes together, then by code."""
    rows = []
    for plan, name in {
        plan.raw_field: (plan, str(coding.analysis_file_key)) for plan, coding in season.episodes
    }.values():
        for code, agreement in read_result(data_root, plan):
            level = ALL_CODES if code is None else CODE
            for coefficient, found in (
                ("percent_agreement", agreement.percent_agreement),
                ("krippendorff_alpha", agreement.alpha),
                ("gwet_ac1", agreement.ac1),
            ):
                rows.append(
                    AgreementRow(
                        level, code or "", coefficient, agreement.messages, found.value, found.low, found.high, name
                    )
                )
    return rows
