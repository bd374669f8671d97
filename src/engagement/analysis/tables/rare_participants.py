"""Participants of whom the gate holds answers back: too few share the combination."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
import pandas

from engagement.analysis.tables.coded_table import CodedTable, Mask
from engagement.configuration import CodingConfiguration, Project
from engagement.pipeline.outputs.analysis_files import UID

_COLUMNS = {"Gender": ("gender",), "Age Category": ("age_category",), "Region": ("region", "county")}


def tell_of_writers(
    project: Project, individuals: CodedTable, breakdowns: Sequence[CodingConfiguration], uids: Sequence[str]
) -> dict[str, list[str]]:
    """Tell participants' gender, age category and region, by column; "" without an answer.

    With k-anonymity they are all "" unless enough participants share the three, and the answers that it is about.
    """
    by_key = {coding.analysis_file_key: coding for coding in breakdowns}
    told: dict[str, list[str]] = {}
    combinations = numpy.zeros(len(individuals), dtype=numpy.int64)
    places = _find_rows(individuals, uids)
    for title, keys in _COLUMNS.items():
        coding = next((by_key[key] for key in keys if key in by_key), None)
        if coding is None:
            told[title] = [""] * len(uids)
            continue
        names = [*(code.string_value for code in coding.code_scheme.codes if code.is_normal), ""]
        own = individuals.codes(coding).first_values()
        combinations = combinations * len(names) + own
        told[title] = [names[value] for value in own[places]]
    fewest = project.configuration.disclosure.k_anonymity
    are_hidden = find_rare(project, individuals, breakdowns)
    if fewest is not None and len(individuals):
        _, numbers, counts = numpy.unique(combinations, return_inverse=True, return_counts=True)
        are_hidden |= counts[numbers] < fewest
    hidden = are_hidden[places].tolist()
    return {
        title: ["" if is_hidden else v for v, is_hidden in zip(values, hidden, strict=True)]
        for title, values in told.items()
    }


def _find_rows(individuals: CodedTable, uids: Sequence[str]) -> numpy.ndarray:
    column = individuals.column(UID).cat
    rows = numpy.zeros(len(column.categories), dtype=numpy.int64)
    rows[column.codes.to_numpy()] = numpy.arange(len(individuals))
    found: numpy.ndarray = rows[
        pandas.Index(column.categories).get_indexer(pandas.Index(numpy.array(uids, dtype=object)))
    ]
    return found


def find_rare(project: Project, individuals: CodedTable, breakdowns: Sequence[CodingConfiguration]) -> Mask:
    """Find participants whose answers too few share, for the gate's k-anonymity; nobody if it is off."""
    disclosure = project.configuration.disclosure
    if disclosure.k_anonymity is None:
        return numpy.zeros(len(individuals), dtype=bool)
    numbers = numpy.zeros(len(individuals), dtype=numpy.int64)
    for coding in withheld_codings(project, breakdowns):
        own = individuals.codes(coding).numbers
        numbers, _ = pandas.factorize(numbers * (int(own.max(initial=0)) + 1) + own)
    rare: Mask = (numpy.bincount(numbers) < disclosure.k_anonymity)[numbers] if len(numbers) else numbers.astype(bool)
    return rare


def withheld_codings(project: Project, breakdowns: Sequence[CodingConfiguration]) -> list[CodingConfiguration]:
    """Return all codings of the plans that Disclosure.Columns names: a value would tell the others.

    Of the `breakdowns`, those of origins and listening groups, whose schemes are in no file, may be named as well.
    """
    columns = set(project.configuration.disclosure.columns)
    plans = [plan for plan in project.coding_plans.all if not columns.isdisjoint(plan.columns())]
    others = [one for one in breakdowns if not one.code_scheme_file and not columns.isdisjoint(one.columns())]
    return [*(coding for plan in plans for coding in plan.coding_configurations), *others]
