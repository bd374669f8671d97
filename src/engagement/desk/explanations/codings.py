"""Trace labels to cleaners' proposals, coders, and the reasons of stage 3's rules."""

from collections.abc import Iterator, Mapping
from typing import Any

from engagement.configuration import CodeScheme, CodingConfiguration, CodingPlan, ControlCode
from engagement.desk.explanations.coda_evidence import CodaEvidence
from engagement.desk.explanations.participant import TracedRow, text_of
from engagement.desk.explanations.rules import Recoded, Rules
from engagement.desk.explanations.steps import StepKind, StoryStep
from engagement.desk.explanations.wording import listed, say_code, say_code_id, say_coder, say_codes, show_fact
from engagement.pipeline.coding.labels import MANUALLY_UNCODED, PIPELINE_CODER, Label, Labels, is_ticked, origin_of
from engagement.pipeline.coding.plan_coder import CodingCase
from engagement.pipeline.coding.reasons import Reason
from engagement.pipeline.coding.uncounted import find_why_none_counts

_SINCE = "the next run of stage 3 takes that up"


class CodingStories:
    """Traces the labels of a project's messages."""

    def __init__(self, coda: CodaEvidence, rules: Rules) -> None:
        self._coda = coda
        self._rules = rules

    def tell(self, row: TracedRow, plan: CodingPlan, configuration: CodingConfiguration) -> Iterator[StoryStep]:
        """Trace the steps from an answer to the labels of one code scheme, apart from a cleaner's proposal."""
        text, recoded = text_of(row, plan), self._rules.recode(row, plan)
        for label in row.labels[configuration.coded_field]:
            if text and plan.coda_filename is not None and label.document is not None and is_ticked(label.document):
                yield self._tell_of_coder(plan, configuration, label, text)
            else:
                yield self._tell_of_rule(plan, configuration, label, text or "", recoded)

    def tell_of_cleaner(
        self, row: TracedRow, plan: CodingPlan, configuration: CodingConfiguration
    ) -> Iterator[StoryStep]:
        """Explain how a cleaner read the answer, if the coding has a cleaner."""
        text = text_of(row, plan)
        if not text or configuration.cleaner is None:
            return
        proposals = self._coda.proposals(plan, text)
        scheme = configuration.code_scheme
        proposed = next((p for p in proposals or () if p["SchemeID"] == scheme.scheme_id), None)
        if proposed is not None:
            says = (
                f"Cleaner {configuration.cleaner!r} reads it as {say_code_id(scheme, proposed['CodeID'])}. That is a proposal to the "
                "coders, and counts for nothing until one of them labels the answer."
            )
        elif proposals is None:
            says = f"What cleaner {configuration.cleaner!r} reads in it can't be told: Outputs/Coda Files has no such text."
        else:
            says = f"Cleaner {configuration.cleaner!r} is not sure what it says, and proposes nothing."
        facts = {"cleaner": configuration.cleaner, "scheme": scheme.name, "label": proposed}
        yield StoryStep(StepKind.AUTOMATIC, says, facts, name_of(configuration))

    def _tell_of_rule(
        self, plan: CodingPlan, configuration: CodingConfiguration, label: Label, text: str, recoded: Recoded
    ) -> StoryStep:
        position = plan.coding_configurations.index(configuration)
        coded = recoded.coded
        is_imputed = coded.is_imputed[position]
        made = coded.coding.labels[position]
        is_same = label in made
        says = f"{self._say(coded.reasons[position], plan, configuration, text, recoded)}: {say_code(label.code) if is_same else say_codes(made)}."
        if not is_same:
            says += f" {say_other(say_code(label.code))}"
        facts = _facts(configuration, label)
        if is_imputed:
            facts["rule"] = plan.code_imputation_function
            facts["labels_from_coders"] = [
                {"field": coding.coded_field, **(tick.document or {})}
                for coding, ticks in zip(plan.coding_configurations, recoded.ticks, strict=False)
                for tick in ticks
            ]
        return StoryStep(StepKind.IMPUTED if is_imputed else StepKind.LABEL, says, facts, name_of(configuration))

    def _say(
        self, reason: Reason, plan: CodingPlan, configuration: CodingConfiguration, text: str, recoded: Recoded
    ) -> str:
        """Put a reason into words, with facts that only Coda's files hold."""
        if recoded.was_other:
            return "When Outputs were made, its labels said wrong scheme in one place and not in the other: that contradicts itself"
        if reason.case is CodingCase.NOT_REVIEWED:
            if self._counting(plan, configuration, text):
                return f"No coder had labelled the answer when Outputs were made. One has since: {_SINCE}"
            labels, known = self._coda.labels(plan, text), self._coda.known_schemes(plan)
            reason = find_why_none_counts(labels, configuration.code_scheme, known)
        return reason.say(show_fact, text=text)

    def _counting(self, plan: CodingPlan, configuration: CodingConfiguration, text: str) -> Labels:
        """Describe the coders' labels that Coda's files have by now."""
        return self._coda.reading(plan, text).labels[plan.coding_configurations.index(configuration)]

    def _tell_of_coder(
        self, plan: CodingPlan, configuration: CodingConfiguration, label: Label, text: str
    ) -> StoryStep:
        scheme = configuration.code_scheme
        labels = [given for given in self._coda.labels(plan, text) or [] if scheme.owns(given["SchemeID"])]
        document = label.document or {}
        earlier = _earlier_labels(labels, document)
        unknown, code = _find_unknown_code(labels, scheme, label), say_code(label.code)
        given = code if unknown is None else f"with {say_code_id(scheme, unknown)}: it is kept as {code}"
        says = f"In {plan.coda_dataset}, {say_coder(document)} labelled it {given}"
        if label not in self._counting(plan, configuration, text):
            says += f". By now the coders say otherwise: {_SINCE}"
        if earlier:
            says += f". Before that it had {listed(_say_earlier(scheme, given) for given in earlier)}"
        return StoryStep(
            StepKind.LABEL,
            f"{says}.",
            {**_facts(configuration, label), "dataset": plan.coda_dataset, "earlier_labels": earlier},
            name_of(configuration),
        )


def name_of(configuration: CodingConfiguration) -> str:
    """Return the name of a coding in the outputs: its key in the CSVs, or its field if it has no key."""
    return configuration.analysis_file_key or configuration.coded_field


def say_other(in_outputs: str) -> str:
    """Report that the rules and Outputs differ, and how to mend it."""
    return (
        f"Outputs have {in_outputs}: they were made by other rules or with another configuration. Run stage 3 (generate outputs) "
        "with --full."
    )


def _facts(configuration: CodingConfiguration, label: Label) -> dict[str, Any]:
    return {
        "field": configuration.coded_field,
        "scheme": configuration.code_scheme.name,
        "code": label.code.string_value,
        "label": label.document,
    }


def _earlier_labels(labels: list[Mapping[str, Any]], current: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Find the labels that a scheme's current label replaced, among its labels, newest first."""
    for position, label in enumerate(labels):
        if all(label.get(key) == current.get(key) for key in ("DateTimeUTC", "Origin")):
            return [earlier for earlier in labels[position + 1 :] if earlier["SchemeID"] == label["SchemeID"]]
    return []


def _find_unknown_code(labels: list[Mapping[str, Any]], scheme: CodeScheme, label: Label) -> str | None:
    """Find the id of a coder's code that the scheme lacks, which the outputs show as "not coded"."""
    if label.code.control_code is not ControlCode.NC:
        return None
    time = (label.document or {}).get("DateTimeUTC")
    given = (found["CodeID"] for found in labels if found.get("DateTimeUTC") == time)
    return next((code_id for code_id in given if code_id not in scheme.codes_by_id), None)


def _say_earlier(scheme: CodeScheme, label: Mapping[str, Any]) -> str:
    if label["CodeID"] == MANUALLY_UNCODED:
        return f"its label taken off (by {say_coder(label)})"
    code = say_code_id(scheme, label["CodeID"])
    if origin_of(label).get("Name") == PIPELINE_CODER:
        return f"the automatic proposal {code}"
    return f"{code} (by {say_coder(label)}{'' if label.get('Checked') is True else ', not ticked'})"
