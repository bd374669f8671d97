"""Run stage 3's rules again on one participant's results: explanations print their reasons."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engagement.configuration import CodingPlan, Project
from engagement.desk.explanations.coda_evidence import CodaEvidence
from engagement.desk.explanations.participant import ExplainedParticipant, TracedRow, text_of
from engagement.pipeline.coding.coded_datasets import Reading
from engagement.pipeline.coding.imputation import make_imputations
from engagement.pipeline.coding.imputing import Answer, Imputation, Imputed
from engagement.pipeline.coding.labels import Labels, is_wrong_scheme, read_traced_ticks
from engagement.pipeline.coding.locations import OPERATOR_FIELD, operator_name
from engagement.pipeline.coding.own_functions import set_by_project
from engagement.pipeline.coding.plan_coder import Coded, PlanCoder
from engagement.pipeline.coding.reasons import Reason
from engagement.pipeline.coding.wrong_scheme import Move, WrongSchemeMoves
from engagement.pipeline.folding.consent import (
    decide_consent,
    find_withdrawal,
)
from engagement.pipeline.messages.key_names import KeyNames

_MANUAL_STEP, _IMPUTATION_STEP = "engagement.coding.manual", "engagement.coding.imputation"


@dataclass(frozen=True)
class Recoded:
    """An answer coded again.

    `ticks` are the coders' labels that it was coded with. With `was_other` the outcome is that of the Outputs only if coders contradicted
    themselves then, which Coda's files do not say any more.
    """

    coded: Coded
    ticks: tuple[Labels, ...]
    was_other: bool = False


class Rules:
    """Stage 3's rules of a project, for one participant's rows."""

    def __init__(self, project: Project, coda: CodaEvidence) -> None:
        self._project = project
        self._plans = project.coding_plans
        self._coda = coda
        self._moves = WrongSchemeMoves(self._plans, {})
        imputations = make_imputations(self._plans.all, {})
        self._imputations = {plan.raw_field: impute for plan, impute in zip(self._plans.all, imputations, strict=True)}
        self._coders: dict[str, PlanCoder] = {}

    def recode(self, row: TracedRow, plan: CodingPlan) -> Recoded:
        """Code a message's answer again, with the labels that coders had given it when Outputs were made."""
        text = text_of(row, plan)
        operator = operator_name(self._plans.operator_scheme, row.values.get(OPERATOR_FIELD))
        expected = tuple(row.labels[configuration.coded_field] for configuration in plan.coding_configurations)
        coder, values = self._coder(row, plan), _values_before_coding(row, plan)
        readings = [None] if text is None or plan.coda_filename is None else list(self._readings(row, plan, text))
        tried = [(reading, coder.decide(text, reading, values, operator)) for reading in readings]
        fitting = [number for number, (_, coded) in enumerate(tried) if coded.coding.labels == expected]
        number = fitting[0] if fitting else 0
        reading, coded = tried[number]
        ticks = () if reading is None else reading.labels
        was_other = bool(fitting) and number > 0 and coded.is_error
        return Recoded(coded, ticks, was_other)

    def move(self, plan: CodingPlan, text: str) -> Move | None:
        """Decide where an answer goes by the labels that Coda's files have now; None where it stays."""
        return self._moves.decide(self._coda.reading(plan, text))

    def consent(self, participant: ExplainedParticipant) -> Reason:
        """Decide whether the participant stays, by the labels that Coda's files have now."""
        plans = self._plans.all
        rows = participant.messages
        in_messages = [
            {str(row.values[plan.raw_field]) for row in rows if plan.raw_field in row.values} for plan in plans
        ]
        # Later steps may have dropped an answer, moved it or overwritten it.
        key_names = KeyNames(self._project.configuration, self._plans)
        in_runs: dict[str, set[str]] = {plan.raw_field: set() for plan in plans}
        for row in rows:
            for plan, text in key_names.answers_in(row.record):
                in_runs[plan.raw_field].add(text)
        texts = {text for found in (*in_messages, *in_runs.values()) for text in found}
        datasets = [self._coda.dataset(plan, texts) if plan.coda_filename is not None else None for plan in plans]
        found = find_withdrawal(list(in_runs.values()), datasets) or find_withdrawal(in_messages, datasets)
        return decide_consent(found)

    def _coder(self, row: TracedRow, plan: CodingPlan) -> PlanCoder:
        impute = self._imputations[plan.raw_field]
        minimum = self._project.configuration.noise_minimum_length
        if impute is None and plan.code_imputation_function is not None:
            # The project's own functions are not called here: the traced data has their results.
            return PlanCoder(plan, None, minimum, _recorded(row, plan))
        if plan.raw_field not in self._coders:
            self._coders[plan.raw_field] = PlanCoder(plan, None, minimum, impute)
        return self._coders[plan.raw_field]

    def _readings(self, row: TracedRow, plan: CodingPlan, text: str) -> Iterator[Reading]:
        """List the labels that coders may have given a text when Outputs were made, the likeliest first.

        The traced data has the labels. Only Coda's files show if one of the WS scheme stood beside them, and they may have
        changed since.
        """
        now = self._coda.reading(plan, text)
        then = tuple(
            read_traced_ticks(configuration.code_scheme, _last(row, configuration.coded_field, {_MANUAL_STEP}))
            for configuration in plan.coding_configurations
        )
        is_ws = any(is_wrong_scheme(label.code) for labels in then for label in labels)
        yield now if then == now.labels else Reading(then, is_ws, now.target)
        yield Reading(then, is_ws=False)
        yield Reading(then, is_ws=True)


def _recorded(row: TracedRow, plan: CodingPlan) -> Imputation:
    made = tuple(row.labels[configuration.coded_field] for configuration in plan.coding_configurations)

    def impute(labels: tuple[Labels, ...], answer: Answer) -> Imputed:
        return set_by_project(plan, labels, made)

    return impute


def _values_before_coding(row: TracedRow, plan: CodingPlan) -> Mapping[str, Any]:
    """Return the coded fields of a plan as they came with the run."""
    sources = {change.metadata.source for _, change in row.history} - {_MANUAL_STEP, _IMPUTATION_STEP}
    fields = [configuration.coded_field for configuration in plan.coding_configurations]
    return {field: _last(row, field, sources) for field in fields}


def _last(row: TracedRow, field: str, sources: set[str]) -> Any:
    """Find the last value that some steps gave a field."""
    return next(
        (change.value for key, change in reversed(row.history) if key == field and change.metadata.source in sources),
        None,
    )
