"""How far coders agree on episodes: agreement.csv and agreement_by_week.csv.

From the sheets that icr compared; without these, and for the weeks, from messages that two coders labelled in Coda, blind to each
other.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from engagement.analysis.tables.season import Season
from engagement.configuration import CodeScheme, CodingPlan
from engagement.labelling.agreement.agreement import Agreement, Estimate
from engagement.labelling.agreement.double_coding import TwiceCoded, read_twice_coded
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


class AgreementWeekRow(NamedTuple):
    """A row of agreement_by_week.csv; an estimate is None where it is not defined."""

    dataset: str
    week: str
    coefficient: str
    messages: int
    estimate: float | None
    low_bootstrap: float | None
    high_bootstrap: float | None


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
            for coefficient, found in _name_coefficients(agreement):
                rows.append(
                    AgreementRow(
                        level, code or "", coefficient, agreement.messages, found.value, found.low, found.high, name
                    )
                )
    return rows


def list_agreement_by_week(season: Season, data_root: Path) -> list[AgreementWeekRow]:
    """List the coefficients of each week in which a second coder labelled, oldest first."""
    rows = []
    for plan, coding in {plan.raw_field: (plan, coding) for plan, coding in season.episodes}.values():
        twice = _read_twice_coded(season, data_root, plan, coding.code_scheme)
        for week, codings in () if twice is None else twice.by_week():
            agreement = measure_reliability(codings, DRAWS, SEED, CONFIDENCE).overall
            for coefficient, found in _name_coefficients(agreement):
                rows.append(
                    AgreementWeekRow(
                        str(coding.analysis_file_key),
                        week,
                        coefficient,
                        agreement.messages,
                        found.value,
                        found.low,
                        found.high,
                    )
                )
    return rows


def _name_coefficients(agreement: Agreement) -> Iterator[tuple[str, Estimate]]:
    yield "percent_agreement", agreement.percent_agreement
    yield "krippendorff_alpha", agreement.alpha
    yield "gwet_ac1", agreement.ac1


def _read_twice_coded(season: Season, data_root: Path, plan: CodingPlan, scheme: CodeScheme) -> TwiceCoded | None:
    if season.project.configuration.double_coding is None or plan.coda_dataset is None:
        return None
    return read_twice_coded(data_root, plan.coda_dataset, scheme)


def _measure_twice_coded(
    season: Season, data_root: Path, plan: CodingPlan, scheme: CodeScheme
) -> list[tuple[str | None, Agreement]]:
    """Measure what a second coder labelled in Coda, with the draws that icr makes by itself."""
    twice = _read_twice_coded(season, data_root, plan, scheme)
    if twice is None:
        return []
    found = measure_reliability(twice.codings, DRAWS, SEED, CONFIDENCE)
    return [(None, found.overall), *((row.code, row.agreement) for row in found.by_code)]
