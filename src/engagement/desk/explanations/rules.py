"""Run stage 3's rules again on one participant's results: explanations print their reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engagement.configuration import CodingPlan, Project
from engagement.configuration.function_names import is_project_function
from engagement.desk.explanations.coda_evidence import CodaEvidence
from engagement.desk.explanations.participant import ExplainedParticipant, TracedRow, text_of
from engagement.pipeline.coding.coded_datasets import Reading
from engagement.pipeline.coding.imputation import make_imputations
from engagement.pipeline.coding.imputing import AnswerState, Imputation, Imputed
from engagement.pipeline.coding.labels import Labels, is_wrong_scheme, read_traced_ticks
from engagement.pipeline.coding.locations import OPERATOR_FIELD, operator_name
from engagement.pipeline.coding.own_functions import set_by_project
from engagement.pipeline.coding.plan_coder import Coded, PlanCoder
from engagement.pipeline.coding.reasons import Reason
from engagement.pipeline.folding.consent import decide_consent
from engagement.pipeline.messages.key_names import KeyNames
from engagement.pipeline.steps import IMPUTATION, MANUAL_CODING


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
        self._coda = coda
        self._coders: dict[str, PlanCoder] = {}

    def recode(self, row: TracedRow, plan: CodingPlan) -> Recoded:
        """Code a message's answer again, with the labels that coders had given it when Outputs were made."""
        text, values = text_of(row, plan), _values_before_coding(row, plan)
        operator = operator_name(self._project.coding_plans.operator_scheme, row.values.get(OPERATOR_FIELD))
        coder, made = self._coder(row, plan), _labels_of(row, plan)
        if text is None or plan.coda_filename is None:
            return Recoded(coder.decide(text, None, values, operator), ())
        then = _ticks_then(row, plan)
        reading = self._read_then(then, plan, text)
        coded = coder.decide(text, reading, values, operator)
        if coded.coding.labels != made:
            # The traced data does not hold labels of the WS scheme; Coda's may have changed since.
            other = Reading(then, ws_label=None if reading.contradicts_itself else {})
            again = coder.decide(text, other, values, operator)
            if again.coding.labels == made:
                return Recoded(again, then, was_other=again.is_error)
        return Recoded(coded, reading.labels)

    def consent(self, participant: ExplainedParticipant) -> Reason:
        """Decide whether the participant stays, by the labels that Coda's files have now."""
        project, rows = self._project, participant.messages
        plans = project.coding_plans.all
        in_messages = [
            {str(row.values[plan.raw_field]) for row in rows if plan.raw_field in row.values} for plan in plans
        ]
        # Later steps may have dropped an answer, moved it or overwritten it.
        key_names = KeyNames(project.configuration, project.coding_plans)
        in_runs: dict[str, set[str]] = {plan.raw_field: set() for plan in plans}
        for row in rows:
            for plan, text in key_names.answers_in(row.record):
                in_runs[plan.raw_field].add(text)
        texts = set().union(*in_messages, *in_runs.values())
        datasets = [self._coda.dataset(plan, texts) if plan.coda_filename is not None else None for plan in plans]
        return decide_consent(list(in_runs.values()), in_messages, datasets)

    def _coder(self, row: TracedRow, plan: CodingPlan) -> PlanCoder:
        minimum = self._project.configuration.noise_minimum_length
        if is_project_function(plan.code_imputation_function or ""):
            # The project's own functions are not called here: the traced data has their results.
            return PlanCoder(plan, None, minimum, _recorded(row, plan))
        if plan.raw_field not in self._coders:
            (impute,) = make_imputations((plan,), {})
            self._coders[plan.raw_field] = PlanCoder(plan, None, minimum, impute)
        return self._coders[plan.raw_field]

    def _read_then(self, then: tuple[Labels, ...], plan: CodingPlan, text: str) -> Reading:
        """Add to the labels when Outputs were made those of the WS scheme, which only Coda's files show."""
        now = self._coda.reading(plan, text)
        if then == now.labels:
            return now
        is_ws = any(is_wrong_scheme(label.code) for labels in then for label in labels)
        return replace(now, labels=then, ws_label=(now.ws_label or {}) if is_ws else None)


def _labels_of(row: TracedRow, plan: CodingPlan) -> tuple[Labels, ...]:
    return tuple(row.labels[configuration.coded_field] for configuration in plan.coding_configurations)


def _ticks_then(row: TracedRow, plan: CodingPlan) -> tuple[Labels, ...]:
    """Read the coders' labels when Outputs were made."""
    return tuple(
        read_traced_ticks(configuration.code_scheme, _last(row, configuration.coded_field, {MANUAL_CODING}))
        for configuration in plan.coding_configurations
    )


def _recorded(row: TracedRow, plan: CodingPlan) -> Imputation:
    made = _labels_of(row, plan)

    def impute(labels: tuple[Labels, ...], answer: AnswerState) -> Imputed:
        return set_by_project(plan, labels, made)

    return impute


def _values_before_coding(row: TracedRow, plan: CodingPlan) -> Mapping[str, Any]:
    """Return the coded fields of a plan as they came with the run."""
    sources = {change.metadata.source for _, change in row.history} - {MANUAL_CODING, IMPUTATION}
    fields = [configuration.coded_field for configuration in plan.coding_configurations]
    return {field: _last(row, field, sources) for field in fields}


def _last(row: TracedRow, field: str, sources: set[str]) -> Any:
    """Find the last value that some steps gave a field."""
    return next(
        (change.value for key, change in reversed(row.history) if key == field and change.metadata.source in sources),
        None,
    )
