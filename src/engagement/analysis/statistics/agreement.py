"""How far coders agree on episodes: agreement.csv.

From the sheets that icr compared; without these, from messages that two coders labelled in Coda, blind to each other.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from engagement.analysis.tables.season import Season
from engagement.configuration import CodeScheme, CodingPlan
from engagement.labelling.agreement.agreement import Agreement
from engagement.labelling.agreement.double_coding import read_twice_coded
from engagement.labelling.agreement.report import CONFIDENCE, DRAWS, SEED, measure_reliability
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
    for plan, coding in {plan.raw_field: (plan, coding) for plan, coding in season.episodes}.values():
        name = str(coding.analysis_file_key)
        measured = list(read_result(data_root, plan)) or _measure_twice_coded(
            season, data_root, plan, coding.code_scheme
        )
        for code, agreement in measured:
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


def _measure_twice_coded(
    season: Season, data_root: Path, plan: CodingPlan, scheme: CodeScheme
) -> list[tuple[str | None, Agreement]]:
    """Measure what a second coder labelled in Coda, with the draws that icr makes by itself."""
    if season.project.configuration.double_coding is None or plan.coda_dataset is None:
        return []
    twice = read_twice_coded(data_root, plan.coda_dataset, scheme)
    if twice is None:
        return []
    found = measure_reliability(twice.codings, DRAWS, SEED, CONFIDENCE)
    return [(None, found.overall), *((row.code, row.agreement) for row in found.by_code)]
