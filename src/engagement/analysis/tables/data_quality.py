"""Coding progress, and texts that a person should check, named by message id."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy
import pandas

from engagement.analysis.tables.coded_table import CodedTable
from engagement.analysis.tables.percentages import percentage
from engagement.configuration import CodingPlan, ControlCode, PlanKind
from engagement.pipeline.coding.cleaning.phone_numbers import find_phone_numbers
from engagement.pipeline.coding.coded_datasets import message_id_of

WRONG_SCHEME, CONTRADICTING_CODES = "wrong scheme", "contradicting codes"


@dataclass(frozen=True)
class _Answers:
    """A plan's answers: distinct texts, each row's text number (-1: none), and whether it has one."""

    dataset: str
    texts: pandas.Index
    numbers: numpy.ndarray
    answered: numpy.ndarray

    def distinct(self, rows: numpy.ndarray) -> numpy.ndarray:
        """Return the numbers of the distinct texts in some rows (a mask)."""
        return numpy.unique(self.numbers[rows & self.answered])

    def are_empty(self) -> numpy.ndarray:
        """Find the rows with an answer without a text."""
        empty = numpy.asarray(self.texts == "", dtype=bool)
        found = self.answered.copy()
        found[self.answered] = empty[self.numbers[self.answered]]
        return found


def _answers(table: CodedTable, plan: CodingPlan) -> _Answers:
    texts = table.texts(plan)
    numbers = texts.cat.codes.to_numpy()
    return _Answers(str(plan.coda_dataset), texts.cat.categories, numbers, numbers >= 0)


def _in_coda(plans: Iterable[CodingPlan]) -> Iterator[CodingPlan]:
    return (plan for plan in plans if plan.coda_filename is not None)


def _have(table: CodedTable, plan: CodingPlan, control_code: ControlCode) -> numpy.ndarray:
    """Find rows with a control code in any coding of the plan; shape (rows,), bool."""
    found = numpy.zeros(len(table), dtype=bool)
    for configuration in plan.coding_configurations:
        found |= table.codes(configuration).hold_any(lambda code: code.control_code is control_code)
    return found


def measure_coding_progress(messages: CodedTable, plans: Iterable[CodingPlan]) -> pandas.DataFrame:
    """Measure the progress of each Coda dataset, one a row.

    A survey answer counts once for each participant, an answer to an episode once for each message.

    A text is labelled if no coding of its plan says "not reviewed".
    """
    uids = messages.column("uid").cat.codes.to_numpy().astype(numpy.int64)
    rows = []
    for plan in _in_coda(plans):
        answers = _answers(messages, plan)
        # Every message of a participant repeats the survey answers.
        counted = answers.answered if plan.kind is PlanKind.RQA else _first_of_each(uids, answers.answered)
        is_empty = answers.are_empty()
        distinct, unreviewed = _split_texts(messages, plan, answers, is_empty)
        labelled = len(distinct) - len(unreviewed)
        rows.append(
            (answers.dataset, int(counted.sum()), int((counted & is_empty).sum()), len(distinct), labelled,
             percentage(labelled, len(distinct)))
        )  # fmt: skip
    columns = ["Dataset", "Answers", "Empty Answers", "Distinct Texts", "Labelled Texts", "Labelled %"]
    return pandas.DataFrame(rows, columns=columns)


def _split_texts(
    messages: CodedTable, plan: CodingPlan, answers: _Answers, is_empty: numpy.ndarray
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Return the numbers of all distinct texts that are not empty, and of those not labelled yet."""
    unreviewed = ~is_empty & _have(messages, plan, ControlCode.NR)
    return answers.distinct(~is_empty), answers.distinct(unreviewed)


def list_texts(messages: CodedTable, plan: CodingPlan) -> tuple[list[str], list[str]]:
    """List the distinct texts of a dataset that are not empty: labelled ones, and those not labelled yet."""
    answers = _answers(messages, plan)
    distinct, unreviewed = _split_texts(messages, plan, answers, answers.are_empty())
    labelled = numpy.setdiff1d(distinct, unreviewed, assume_unique=True)
    return list(answers.texts[labelled]), list(answers.texts[unreviewed])


def _first_of_each(uids: numpy.ndarray, rows: numpy.ndarray) -> numpy.ndarray:
    """Keep each participant's first row (of a mask)."""
    places = numpy.flatnonzero(rows)
    _, first = numpy.unique(uids[places], return_index=True)
    found = numpy.zeros(len(rows), dtype=bool)
    found[places[first]] = True
    return found


def list_coding_errors(
    messages: CodedTable, plans: Iterable[CodingPlan], contradictions: Collection[tuple[str, str]]
) -> pandas.DataFrame:
    """List Dataset, Message ID and Reason of every text with the code CE.

    `contradictions` are the datasets and message ids with both a wrong-scheme label and another; other texts have codes
    that contradict each other, or are out of range.
    """
    rows = []
    for plan in _in_coda(plans):
        answers = _answers(messages, plan)
        for number in answers.distinct(_have(messages, plan, ControlCode.CE)):
            key = (answers.dataset, message_id_of(answers.texts[number]))
            rows.append((*key, WRONG_SCHEME if key in contradictions else CONTRADICTING_CODES))
    return pandas.DataFrame(sorted(rows), columns=["Dataset", "Message ID", "Reason"])


def list_texts_with_phone_numbers(messages: CodedTable, plans: Iterable[CodingPlan]) -> pandas.DataFrame:
    """List Dataset and Message ID of every text that seems to contain a phone number."""
    rows = [
        (answers.dataset, message_id_of(text))
        for plan in _in_coda(plans)
        for answers in [_answers(messages, plan)]
        for text in answers.texts
        if find_phone_numbers(text)
    ]
    return pandas.DataFrame(sorted(rows), columns=["Dataset", "Message ID"])
