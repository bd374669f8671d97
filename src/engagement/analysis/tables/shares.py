"""Shares in charts and report, each with base and interval, and the origins of participants' values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import pandas

from engagement.analysis.tables.coded_table import CodedTable
from engagement.analysis.tables.intervals import Share
from engagement.analysis.tables.values import ELSEWHERE, Layer, Value, is_told_by_number, split_counts
from engagement.configuration import CodingConfiguration, CodingPlan, ControlCode
from engagement.configuration.control_codes import entry_of
from engagement.configuration.group_plans import is_group_plan
from engagement.configuration.origin_plans import is_origin_plan

ANSWER, PHONE_NUMBER, ATTENDANCE, MESSAGE = "answer", "phone number", "attendance", "message"
ABOUT_MESSAGE = "about the message"
REPEATS = "repeat_participations"
_SHARES = ["Dataset", "Theme", "Breakdown", "Value", "Origin", "Participants", "Base", "Share %", "Low %", "High %",
           "Note"]  # fmt: skip
_ORIGINS = ["Dataset", "Value", "Name", "Origin", "Participants"]

type CodedQuestion = tuple[CodingPlan, CodingConfiguration]
type FindLayers = Callable[[CodingConfiguration], Sequence[Layer]]
type _Row = tuple[str | int, ...]


def tabulate_shares(
    individuals: CodedTable,
    themes: Sequence[CodingConfiguration],
    questions: Sequence[CodedQuestion],
    repeats: Sequence[int],
    find_layers: FindLayers,
    threshold: int,
) -> pandas.DataFrame:
    """Return the columns of share_intervals.csv.

    Rows are themes in total and for each value of the questions, then the questions' own values, then repeat
    participation.

    Rows without a base are left out, as there is no share of nobody. `repeats` are the participants in one episode, in
    two …
    """
    rows: list[_Row] = []
    for theme in themes:
        rows += _rows_of_themes(individuals, theme, questions, find_layers, threshold)
    for plan, coding in questions:
        rows += _rows_of_values(individuals, plan, coding, find_layers(coding), threshold)
    for number, count in enumerate(repeats, 1):
        rows += _row((REPEATS, str(number), "", "", ANSWER), count, sum(repeats), threshold)
    return pandas.DataFrame(rows, columns=_SHARES)


def _row(keys: tuple[str, ...], count: int, base: int, threshold: int) -> Iterator[_Row]:
    if base:
        share = Share(count, base)
        low, high = share.interval
        note = "small base" if base < threshold else "small count" if 0 < count < threshold else ""
        yield (*keys, count, base, *(str(round(figure, 1)) for figure in (share.percent, low, high)), note)


def _rows_of_themes(
    individuals: CodedTable,
    theme: CodingConfiguration,
    questions: Sequence[CodedQuestion],
    find_layers: FindLayers,
    threshold: int,
) -> Iterator[_Row]:
    codes = individuals.codes(theme)
    relevant = codes.relevant_individual
    normal = [(position, code) for position, code in enumerate(theme.code_scheme.codes) if code.is_normal]
    key, size, totals = str(theme.analysis_file_key), int(relevant.sum()), codes.count()
    for position, code in normal:
        yield from _row((key, code.string_value, "", "", ANSWER), int(totals[position]), size, threshold)
    for plan, question in questions:
        other, origin = individuals.codes(question), _name_answer(plan)
        guesses = [layer for layer in find_layers(question) if layer.is_guess]
        tables = [
            (layer.origin, codes.cross(other, layer.rows).tolist(), other.count(relevant & layer.rows).tolist())
            for layer in guesses
        ]
        rows = other.answered if guesses else None
        answered = individuals.cross(theme, question) if rows is None else codes.cross(other, rows)
        bases = other.count(relevant if rows is None else relevant & rows)
        values = [(place, value) for place, value in enumerate(question.code_scheme.codes) if value.is_normal]
        for name, counts, sizes in ((origin, answered.tolist(), bases.tolist()), *tables):
            for position, code in normal:
                for place, value in values:
                    keys = (key, code.string_value, str(question.analysis_file_key), value.string_value, name)
                    yield from _row(keys, counts[position][place], sizes[place], threshold)


def _rows_of_values(
    individuals: CodedTable, plan: CodingPlan, coding: CodingConfiguration, layers: Sequence[Layer], threshold: int
) -> Iterator[_Row]:
    base, key = int(individuals.codes(coding).answered.sum()), str(coding.analysis_file_key)
    origin = _name_answer(plan)
    for value in count_values(individuals, coding, layers):
        if value.code.is_normal:
            yield from _row((key, value.code.string_value, "", "", origin), value.plain, base, threshold)


def count_values(individuals: CodedTable, coding: CodingConfiguration, layers: Sequence[Layer]) -> list[Value]:
    """Count participants with each code of a coding, in the scheme's order, separating those in layers."""
    codes = individuals.codes(coding)
    apart = [(layer, codes.count(layer.rows).tolist()) for layer in layers]
    return split_counts(coding.code_scheme.codes, codes.count().tolist(), apart)


def list_value_origins(
    individuals: CodedTable, questions: Iterable[CodedQuestion], find_layers: FindLayers
) -> pandas.DataFrame:
    """Return the columns of value_origins.csv: each value of each question by origin.

    A guess, or "elsewhere", only has a row if somebody has it. The numbers of a value add up to the one in
    demographic_distributions.csv.
    """
    rows: list[_Row] = []
    for plan, coding in questions:
        for value in count_values(individuals, coding, find_layers(coding)):
            code = value.code
            if code.control_code is ControlCode.STOP:
                continue
            keys = (str(coding.analysis_file_key), code.string_value, code.display_text)
            rows.append((*keys, _origin_of(plan, value), value.plain))
            if value.elsewhere:
                rows.append((*keys, ELSEWHERE, value.elsewhere))
            rows += [(*keys, source, count) for source, count in value.guesses.items()]
    return pandas.DataFrame(rows, columns=_ORIGINS)


def _origin_of(plan: CodingPlan, value: Value) -> str:
    code = value.code
    if code.control_code is not None:
        return entry_of(code.control_code).wording
    if not code.is_normal:
        return ABOUT_MESSAGE
    return _name_answer(plan)


def _name_answer(plan: CodingPlan) -> str:
    """Say how a plan's values became known, if they were not guessed."""
    if is_group_plan(plan):
        return ATTENDANCE
    if is_origin_plan(plan):
        return MESSAGE
    return PHONE_NUMBER if is_told_by_number(plan) else ANSWER
