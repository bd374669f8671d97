"""The labels of a message, from what coders said and from what there is to code.

Answers that are alike are coded once: the labels of a plan depend on what coders said of the text, or, where there is none, on
the operator; not on the message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from engagement.configuration import (
    CodeScheme,
    CodingConfiguration,
    CodingPlan,
    CodingPlans,
    ControlCode,
)
from engagement.pipeline.coding.coded_datasets import CodedDataset, Reading
from engagement.pipeline.coding.codings import Coding, Field, append_fields, make_coding, make_label_field, name_of
from engagement.pipeline.coding.guesses import mark_guesses
from engagement.pipeline.coding.imputation import make_imputations
from engagement.pipeline.coding.imputing import Answer, Imputation, ImputationMaker
from engagement.pipeline.coding.labels import Label, make_pipeline_label
from engagement.pipeline.coding.locations import operator_name
from engagement.pipeline.messages.blank_texts import visible_text
from engagement.pipeline.messages.message import Message
from engagement.provenance import Metadata, encode_json

# How many answers that are alike are remembered for each plan.
_MOST_ANSWERS = 20_000


def is_noise(text: str, minimum_length: int | None) -> bool:
    """Whether there is nothing to code in a text: nothing to see, or less than a configured length.

    >>> is_noise(" \\u3000\\u200b", None), is_noise("ha", 3), is_noise("ha", None)
    (True, True, False)
    """
    visible = visible_text(text)
    return not visible or (minimum_length is not None and len(visible) < minimum_length)


@dataclass(frozen=True, slots=True)
class _Coded:
    """How a plan codes all answers that are alike: the outcome, and the fields that each step gives a value."""

    coding: Coding
    manual: tuple[Field, ...]
    imputed: tuple[Field, ...]
    is_error: bool = False


@dataclass(slots=True)
class _Codings:
    """The codings of a message by the numbers of their plans, and what is to be written down and told of them."""

    codings: list[Coding | None]
    manual: list[Field] = field(default_factory=list)
    imputed: list[Field] = field(default_factory=list)
    errors: list[tuple[CodingPlan, str]] = field(default_factory=list)

    def add(self, number: int, plan_coder: "_PlanCoder", message: Message, operator: str | None) -> None:
        """Code the answer to one plan."""
        coded, message_id = plan_coder.code(message.texts[number], message.record.values, operator)
        self.codings[number] = coded.coding
        self.manual += coded.manual
        self.imputed += coded.imputed
        if message_id is not None:
            id_field = plan_coder.plan.id_field
            self.manual.append((id_field, message_id, f'{plan_coder.encoded_id_field}: "{message_id}"'.encode()))
            if coded.is_error:
                self.errors.append((plan_coder.plan, message_id))

    def copy(self) -> "_Codings":
        """The same, to be continued on its own."""
        return _Codings(self.codings.copy(), self.manual.copy(), self.imputed.copy(), self.errors.copy())


class Coder:
    """Gives every message a coding for each plan, in the order of the plans."""

    def __init__(
        self,
        plans: CodingPlans,
        datasets: Mapping[str, CodedDataset],
        noise_minimum_length: int | None,
        project_functions: Mapping[str, ImputationMaker],
        manual: Metadata,
        imputation: Metadata,
    ) -> None:
        imputations = make_imputations(plans.all, project_functions)
        self._plans = [
            _PlanCoder(plan, datasets.get(plan.raw_field), noise_minimum_length, impute)
            for plan, impute in zip(plans.all, imputations, strict=True)
        ]
        self._operator_scheme = plans.operator_scheme
        self._manual, self._imputation = manual, imputation
        # What was answered in surveys is coded once for messages that follow each other and share it.
        numbers = [
            number for number, plan in enumerate(plans.all) if number >= len(plans.rqa) and plan.raw_field in datasets
        ]
        self._shared = [(number, self._plans[number]) for number in numbers]
        self._own = [item for item in enumerate(self._plans) if item[0] not in numbers]
        self._get_shared = itemgetter(*numbers) if numbers else lambda _: ()
        self._last_shared: tuple[Any, str | None, _Codings] | None = None

    def code(self, message: Message, also: Field) -> list[tuple[CodingPlan, str]]:
        """Code a message and write down the labels; `also` is a field that the first step writes besides them.

        Returns the plans whose answer is a coding error, because wrong scheme was said by one label and not by another,
        with the answer's message id.
        """
        operator = self._operator_of(message.record.values)
        found = self._code_shared(message, operator).copy()
        found.manual.append(also)
        for number, plan_coder in self._own:
            found.add(number, plan_coder, message, operator)
        message.codings = tuple(found.codings)
        append_fields(message.record, found.manual, self._manual)
        append_fields(message.record, found.imputed, self._imputation)
        return found.errors

    def _code_shared(self, message: Message, operator: str | None) -> "_Codings":
        texts = self._get_shared(message.texts)
        last = self._last_shared
        if last is not None and last[0] == texts and last[1] == operator:
            return last[2]
        found = _Codings([None] * len(self._plans))
        for number, plan_coder in self._shared:
            found.add(number, plan_coder, message, operator)
        # What is in order already is put in order soon.
        found.manual.sort(key=name_of)
        self._last_shared = texts, operator, found
        return found

    def _operator_of(self, values: Mapping[str, Any]) -> str | None:
        label = values.get("operator_coded")
        code_id = label.get("CodeID") if isinstance(label, dict) else None
        if self._operator_scheme is None or not isinstance(code_id, str):
            return None
        return operator_name(self._operator_scheme, code_id)


class _PlanCoder:
    """Codes the answers of one plan."""

    def __init__(
        self,
        plan: CodingPlan,
        dataset: CodedDataset | None,
        noise_minimum_length: int | None,
        impute: Imputation | None,
    ) -> None:
        self.plan = plan
        self.encoded_id_field = encode_json(plan.id_field)
        self._dataset = dataset
        self._noise_minimum_length = noise_minimum_length
        self._impute = impute
        self._not_coded = self._complete(self._everywhere(ControlCode.NC), Answer(True, None), is_written=True)
        self._missing: dict[str | None, _Coded] = {}
        self._by_reading: dict[Reading, _Coded] = {}
        self._by_given: dict[tuple[str | None, ...], tuple[list[Any], _Coded]] = {}

    def code(self, text: str | None, values: Mapping[str, Any], operator: str | None) -> tuple[_Coded, str | None]:
        """The coding of an answer in a message with these values, and its message id if it has one.

        No answer is NA, an empty one NC, one that coders did not look at NR; noise is NC unless a coder labelled it.
        """
        if text is None:
            coded = self._missing.get(operator)
            return coded or self._code_missing(operator), None
        if self._dataset is None:
            return self._code_given(values), None
        message_id, reading = self._dataset.find(text)
        if text == "":
            return self._not_coded, message_id
        if not reading.is_labelled and is_noise(text, self._noise_minimum_length):
            if not reading.contradicts_itself:
                return self._not_coded, message_id
            return self._complete(self._everywhere(ControlCode.NC), Answer(True, None), True, True), message_id
        return self._by_reading.get(reading) or self._code_reading(reading), message_id

    def _code_missing(self, operator: str | None) -> _Coded:
        labels = tuple((Label(label.code, None),) for (label,) in self._everywhere(ControlCode.NA))
        coded = self._missing[operator] = self._complete(labels, Answer(False, operator), is_written=False)
        return coded

    def _code_reading(self, reading: Reading) -> _Coded:
        reviewed = zip(reading.labels, self._everywhere(ControlCode.NR), strict=True)
        coded = self._complete(
            tuple(labels or not_reviewed for labels, not_reviewed in reviewed),
            Answer(True, None),
            is_written=True,
            is_error=reading.contradicts_itself,
        )
        return _remember(self._by_reading, reading, coded)

    def _code_given(self, values: Mapping[str, Any]) -> _Coded:
        """The labels that came with the run, as the operator's does; NC where the scheme does not know their code."""
        configurations = self.plan.coding_configurations
        documents = [values.get(configuration.coded_field) for configuration in configurations]
        code_ids = tuple(str(d.get("CodeID")) if isinstance(d, dict) else None for d in documents)
        known = self._by_given.get(code_ids)
        if known is not None and known[0] == documents:
            return known[1]
        labels, written = [], []
        for configuration, document, code_id in zip(configurations, documents, code_ids, strict=True):
            code = configuration.code_scheme.codes_by_id.get(code_id or "")
            labels.append((_control(configuration, ControlCode.NC) if code is None else Label(code, document),))
            if code is None:
                written.append(make_label_field(configuration, labels[-1]))
        complete = self._complete(tuple(labels), Answer(True, None), is_written=False)
        coded = _Coded(complete.coding, tuple(written), complete.imputed)
        return _remember(self._by_given, code_ids, (documents, coded))[1]

    def _complete(
        self, labels: tuple[tuple[Label, ...], ...], answer: Answer, is_written: bool, is_error: bool = False
    ) -> _Coded:
        """Impute, then mark a coding error. `is_written` says whether the labels are yet to be written down."""
        configurations = self.plan.coding_configurations
        manual = [make_label_field(c, given) for c, given in zip(configurations, labels, strict=True) if is_written]
        after = labels
        if self._impute is not None:
            after = self._impute(labels, answer)
            after = after if answer.is_given else mark_guesses(self.plan, after)
        if is_error:
            after = self._everywhere(ControlCode.CE)
        # A label that says the same as the one before takes nothing's place.
        after = tuple(old if old == new else new for old, new in zip(labels, after, strict=True))
        imputed = [
            make_label_field(configuration, new)
            for configuration, old, new in zip(configurations, labels, after, strict=True)
            if new is not old
        ]
        return _Coded(make_coding(self.plan, after), tuple(manual), tuple(imputed), is_error)

    def _everywhere(self, control_code: ControlCode) -> tuple[tuple[Label, ...], ...]:
        return tuple((_control(c, control_code),) for c in self.plan.coding_configurations)


def _remember[K, V](known: dict[K, V], key: K, value: V) -> V:
    if len(known) >= _MOST_ANSWERS:
        known.clear()
    known[key] = value
    return value


def _control(configuration: CodingConfiguration, control_code: ControlCode) -> Label:
    scheme: CodeScheme = configuration.code_scheme
    return make_pipeline_label(scheme, scheme.control(control_code))
