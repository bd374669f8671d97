"""Where a message's labels came from: cleaners that proposed, coders that labelled, and what follows from other codes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engagement.configuration import CodeScheme, CodingConfiguration, CodingPlan, ControlCode, Project
from engagement.desk.explanations.coda_evidence import CodaEvidence
from engagement.desk.explanations.participant import TracedRow, text_of
from engagement.desk.explanations.steps import Step, StepKind
from engagement.desk.explanations.wording import listed, say_code, say_code_id, say_coder
from engagement.pipeline.coding.labels import (
    MANUALLY_UNCODED,
    PIPELINE_CODER,
    Label,
    counts,
    newest_by_scheme_id,
    origin_of,
)
from engagement.pipeline.coding.location_levels import find_levels
from engagement.pipeline.coding.locations import PLACE_TABLES

# The step whose updates set what follows from other codes.
_IMPUTATION_STEP = "engagement.coding.imputation"
_SINCE = "the next run of stage 3 takes that up"


class CodingStories:
    """Tells of the labels of a project's messages where they came from."""

    def __init__(self, project: Project, coda: CodaEvidence) -> None:
        self._operator_scheme = project.coding_plans.operator_scheme
        self._ws_scheme = project.coding_plans.ws_correct_dataset_scheme
        self._coda = coda

    def tell(self, row: TracedRow, plan: CodingPlan, configuration: CodingConfiguration) -> Iterator[Step]:
        """The steps from an answer to the labels of one code scheme, but for what a cleaner proposes."""
        text = text_of(row, plan)
        for label in row.labels[configuration.coded_field]:
            if text and plan.coda_filename is not None and _is_coders(label):
                yield self._tell_of_coder(plan, configuration, label, text)
            elif _is_imputed(row, configuration):
                yield self._tell_of_imputation(row, plan, configuration, label)
            else:
                says = self._say_without_coder(plan, configuration, label, text)
                yield _make_step(StepKind.LABEL, configuration, label, says)

    def tell_of_cleaner(self, row: TracedRow, plan: CodingPlan, configuration: CodingConfiguration) -> Iterator[Step]:
        """What a cleaner made of the answer, if there is one for the code scheme."""
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
        yield Step(StepKind.AUTOMATIC, says, facts, name_of(configuration))

    def _say_without_coder(
        self, plan: CodingPlan, configuration: CodingConfiguration, label: Label, text: str | None
    ) -> str:
        if label.code.control_code is ControlCode.NA or text is None:
            return "There is no answer, so there is nothing to code"
        if plan.coda_filename is None:
            return f"What {text!r} stands for; coders do not see it"
        if label.code.control_code is ControlCode.NC:
            return (
                "The answer is empty"
                if text == ""
                else "The answer is nothing but white space or too short, and no coder labelled it"
            )
        return self._say_unlabelled(plan, [configuration], text)

    def _say_unlabelled(self, plan: CodingPlan, configurations: Sequence[CodingConfiguration], text: str) -> str:
        """Why no coder's label counts for an answer."""
        labels = self._coda.labels(plan, text)
        if labels is None:
            return "The answer was not in Coda yet when its labels were last fetched"
        own = [label for label in labels if any(c.code_scheme.owns(label["SchemeID"]) for c in configurations)]
        if any(self._counting(plan, configuration, text) for configuration in configurations):
            return f"No coder had labelled the answer when Outputs were made. One has since: {_SINCE}"
        if own and own[0]["CodeID"] == MANUALLY_UNCODED:
            return f"{say_coder(own[0])} took its label off again, and no coder has labelled it since"
        if own and origin_of(own[0]).get("Name") != PIPELINE_CODER:
            return f"{say_coder(own[0])} labelled the answer and did not tick the label, so that it does not count"
        unread = self._find_unread(plan, labels)
        if unread is not None:
            return (
                f"{say_coder(unread)} labelled it under scheme '{unread['SchemeID']}', which the plan does not have, so that the "
                "label counts for nothing"
            )
        return "No coder has labelled the answer yet"

    def _find_unread(self, plan: CodingPlan, labels: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """A coder's label under a scheme that the dataset does not have."""
        known = [c.code_scheme for c in plan.coding_configurations]
        known += [self._ws_scheme] if self._ws_scheme is not None else []
        newest = newest_by_scheme_id(labels).items()
        return next(
            (label for name, label in newest if counts(label) and not any(scheme.owns(name) for scheme in known)), None
        )

    def _counting(self, plan: CodingPlan, configuration: CodingConfiguration, text: str) -> tuple[Label, ...]:
        """The coders' labels that Coda's files have by now."""
        return self._coda.reading(plan, text).labels[plan.coding_configurations.index(configuration)]

    def _tell_of_coder(self, plan: CodingPlan, configuration: CodingConfiguration, label: Label, text: str) -> Step:
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
        return Step(
            StepKind.LABEL,
            f"{says}.",
            {**_facts(configuration, label), "dataset": plan.coda_dataset, "earlier_labels": earlier},
            name_of(configuration),
        )

    def _tell_of_imputation(
        self, row: TracedRow, plan: CodingPlan, configuration: CodingConfiguration, label: Label
    ) -> Step:
        text = text_of(row, plan)
        ticks = self._ticks(row, plan, text)
        is_error = label.code.control_code is ControlCode.CE
        if is_error and text and self._coda.reading(plan, text).contradicts_itself:
            says = f"{self._say_contradiction(plan, text)}: that contradicts itself"
        elif plan.code_imputation_function is None:
            says = "When Outputs were made, its labels said wrong scheme in one place and not in the other: that contradicts itself"
        elif plan.code_imputation_function == "age_category":
            says = self._say_age_category(row, plan, label)
        elif plan.code_imputation_function == "yes_no_reasons":
            says = self._say_yes_no_reasons(row, plan, label, ticks)
        elif plan.code_imputation_function in PLACE_TABLES:
            says = self._say_place(row, plan, configuration, label, ticks)
        else:
            says = f"Set by the project's own function {plan.code_imputation_function!r}{_say_ticks(ticks, ', from ')}"
        return _make_step(
            StepKind.IMPUTED,
            configuration,
            label,
            says,
            rule=plan.code_imputation_function,
            labels_from_coders=[{"field": coding.coded_field, **(tick.document or {})} for coding, tick in ticks],
        )

    def _say_contradiction(self, plan: CodingPlan, text: str) -> str:
        mark = self._coda.wrong_scheme_mark(plan, text)
        if mark.ws_label is not None:
            return f"{say_coder(mark.ws_label)} labelled it 'WS' (wrong scheme), but nobody named the dataset it belongs to"
        named = "a dataset" if mark.target is None else say_code(mark.target)
        return (
            f"{say_coder(mark.dataset_label)} named {named} as the dataset it belongs to, but its label here is not 'WS' (wrong "
            "scheme)"
            if mark.dataset_label is not None
            else "its labels say wrong scheme in one place and not in the other"
        )

    def _say_age_category(self, row: TracedRow, plan: CodingPlan, label: Label) -> str:
        first = plan.coding_configurations[0]
        age = row.labels[first.coded_field][0].code
        if not age.is_normal:
            return f"{first.coded_field!r} is {say_code(age)}, and the category says the same"
        if label.code.control_code is ControlCode.CE:
            return f"{first.coded_field!r} is {say_code(age)}, which no category has"
        return f"It follows from {first.coded_field!r}, which is {say_code(age)}"

    def _say_yes_no_reasons(
        self, row: TracedRow, plan: CodingPlan, label: Label, ticks: list[tuple[CodingConfiguration, Label]]
    ) -> str:
        if not ticks:
            return self._say_unlabelled(plan, plan.coding_configurations, text_of(row, plan) or "")
        told = _say_ticks(ticks, "")
        if label.code.control_code is ControlCode.CE:
            return f"{told}: these are reasons for both, and the code scheme has no 'ambivalent'"
        if label.code.is_normal:
            return f"{told}: yes or no follows from the reasons"
        if any(tick.code.is_normal for _, tick in ticks):
            return f"{told}: no reason was given"
        return f"{told}: both schemes say the same"

    def _say_place(
        self,
        row: TracedRow,
        plan: CodingPlan,
        configuration: CodingConfiguration,
        label: Label,
        ticks: list[tuple[CodingConfiguration, Label]],
    ) -> str:
        control, code = label.code.control_code, say_code(label.code)
        if text_of(row, plan) is None:
            if control is ControlCode.NA:
                return "There is no answer that names a place"
            return f"There is no answer that names a place; most customers of {self._operator(row)} live in {code}"
        if not ticks:
            return self._say_unlabelled(plan, plan.coding_configurations, text_of(row, plan) or "")
        told = _say_ticks(ticks, "")
        if control is ControlCode.CE:
            return f"{told}: these contradict each other, or name no place that the table of places knows"
        places = [coding for coding, tick in ticks if tick.code.is_normal]
        if not places:
            return f"{told}: all levels say the same"
        if label.code.is_normal:
            return f"{told}: the finest place counts, and it lies in {code}"
        table = PLACE_TABLES[plan.code_imputation_function or ""]()
        levels = {
            coding.coded_field: table.levels.index(level)
            for coding, level in zip(plan.coding_configurations, find_levels(plan, table), strict=True)
        }
        if levels[configuration.coded_field] < min(levels[coding.coded_field] for coding in places):
            return f"{told}: no coder named anything finer"
        return f"{told}: which place that lies in can't be told, or the code scheme has no code for it"

    def _operator(self, row: TracedRow) -> str:
        document = row.values.get("operator_coded")
        if self._operator_scheme is None or not isinstance(document, dict):
            return "the participant's mobile operator"
        return f"the participant's mobile operator {say_code_id(self._operator_scheme, document['CodeID'])}"

    def _ticks(self, row: TracedRow, plan: CodingPlan, text: str | None) -> list[tuple[CodingConfiguration, Label]]:
        """The coders' labels under the plan's schemes: those of the record's history, else those that Coda's files have."""
        found = []
        for coding in plan.coding_configurations:
            values = [change.value for key, change in row.history if key == coding.coded_field]
            documents = [d for value in values for d in (value if isinstance(value, list) else [value])]
            given = [
                Label(code, document)
                for document in documents
                if isinstance(document, dict)
                and document.get("Checked") is True
                and (code := coding.code_scheme.codes_by_id.get(document["CodeID"])) is not None
            ]
            found += [(coding, label) for label in dict.fromkeys(given)]
        if found or not text:
            return found
        reading = self._coda.reading(plan, text)
        return [
            (coding, label)
            for coding, labels in zip(plan.coding_configurations, reading.labels, strict=True)
            for label in labels
        ]


def name_of(configuration: CodingConfiguration) -> str:
    """What the outputs call a coding: its key in the CSVs, or without one its field."""
    return configuration.analysis_file_key or configuration.coded_field


def _is_coders(label: Label) -> bool:
    """Whether it is a coder's: the pipeline's own are not ticked."""
    return label.document is not None and label.document.get("Checked") is True


def _is_imputed(row: TracedRow, configuration: CodingConfiguration) -> bool:
    """Whether a coded field follows from other codes. One that says the same as before is not set again."""
    changes = [change for key, change in row.history if key == configuration.coded_field]
    return bool(changes) and changes[-1].metadata.source == _IMPUTATION_STEP


def _make_step(kind: StepKind, configuration: CodingConfiguration, label: Label, says: str, **facts: Any) -> Step:
    code = say_code(label.code)
    return Step(kind, f"{says}: {code}.", {**_facts(configuration, label), **facts}, name_of(configuration))


def _facts(configuration: CodingConfiguration, label: Label) -> dict[str, Any]:
    return {
        "field": configuration.coded_field,
        "scheme": configuration.code_scheme.name,
        "code": label.code.string_value,
        "label": label.document,
    }


def _say_ticks(ticks: list[tuple[CodingConfiguration, Label]], before: str) -> str:
    if not ticks:
        return ""
    return before + listed(
        f"{say_coder(tick.document or {})} labelled it {say_code(tick.code)} in {coding.code_scheme.name!r}"
        for coding, tick in ticks
    )


def _earlier_labels(labels: list[Mapping[str, Any]], current: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Of a scheme's labels, newest first, those that the one that counts took the place of."""
    for position, label in enumerate(labels):
        if all(label.get(key) == current.get(key) for key in ("DateTimeUTC", "Origin")):
            return [earlier for earlier in labels[position + 1 :] if earlier["SchemeID"] == label["SchemeID"]]
    return []


def _find_unknown_code(labels: list[Mapping[str, Any]], scheme: CodeScheme, label: Label) -> str | None:
    """The id of the code that a coder gave, where the scheme lacks it and "not coded" is kept in its place."""
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
