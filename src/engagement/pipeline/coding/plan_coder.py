"""Code answers under one plan, from the text and coders' labels, with reasons.

Answers that are alike are coded once: a plan's labels depend on coders' labels of the text or, without a text, on the operator;
not on the message.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engagement.configuration import CodeScheme, CodingConfiguration, CodingPlan, ControlCode
from engagement.pipeline.coding.coded_datasets import CodedDataset, Reading
from engagement.pipeline.coding.codings import Coding, Field, make_coding, make_label_field
from engagement.pipeline.coding.guesses import mark_guesses
from engagement.pipeline.coding.imputing import AnswerState, Imputation
from engagement.pipeline.coding.labels import Label, Labels, code_of, make_pipeline_label
from engagement.pipeline.coding.reasons import Reason
from engagement.pipeline.coding.wrong_scheme import find_contradiction
from engagement.pipeline.messages.blank_texts import visible_text
from engagement.provenance import encode_json

# The number of distinct answers that are remembered for each plan.
_MOST_ANSWERS = 20_000


class CodingCase(enum.StrEnum):
    """Sources of an answer's labels, before imputation."""

    NO_ANSWER = "There is no answer, so there is nothing to code"
    EMPTY = "The answer is empty"
    NOISE = "The answer is nothing but white space or too short, and no coder labelled it"
    CAME_WITH_RUN = "What {text!r} stands for; coders do not see it"
    NOT_REVIEWED = "No coder has labelled the answer yet"
    LABELLED = "A coder labelled it"


# Created once: every answer has one of these for each coding configuration.
_BECAUSE = {case: Reason(case) for case in CodingCase}


def is_noise(text: str, minimum_length: int | None) -> bool:
    """Tell whether a text has nothing to code: nothing visible, or fewer characters than configured.

    >>> is_noise(" \\u3000\\u200b", None), is_noise("ha", 3), is_noise("ha", None)
    (True, True, False)
    """
    visible = visible_text(text)
    return not visible or (minimum_length is not None and len(visible) < minimum_length)


@dataclass(frozen=True, slots=True)
class Coded:
    """The coding of answers that are alike under a plan, and the fields that each step writes.

    `reasons` has one for each coding configuration, in order; `is_imputed` tells for each whether its labels were imputed.
    """

    coding: Coding
    manual: tuple[Field, ...]
    imputed: tuple[Field, ...]
    reasons: tuple[Reason, ...]
    is_imputed: tuple[bool, ...]
    is_error: bool = False


class PlanCoder:
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
        self._empty = self._code_noise(case=CodingCase.EMPTY)
        self._noise = self._code_noise()
        self._missing: dict[str | None, Coded] = {}
        self._by_reading: dict[Reading, Coded] = {}
        self._by_given: dict[tuple[str | None, ...], tuple[list[Any], Coded]] = {}

    def code(self, text: str | None, values: Mapping[str, Any], operator: str | None) -> tuple[Coded, str | None]:
        """Code an answer of a message with these values; also return its message id, if it has one."""
        if text is None:
            # Most answers are missing: they are not worth another call.
            return self._missing.get(operator) or self._code_missing(operator), None
        if self._dataset is None:
            return self.decide(text, None, values, operator), None
        message_id, reading = self._dataset.find(text)
        return self.decide(text, reading, values, operator), message_id

    def decide(
        self, text: str | None, reading: Reading | None, values: Mapping[str, Any], operator: str | None
    ) -> Coded:
        """Decide the coding of an answer.

        `reading` holds coders' labels of it, None if coders do not see the dataset. A missing answer is NA, an empty one NC, an
        unreviewed one NR; noise is NC unless a coder labelled it.
        """
        if text is None:
            return self._missing.get(operator) or self._code_missing(operator)
        if reading is None:
            return self._code_given(values)
        if text == "":
            return self._empty
        if not reading.is_labelled and is_noise(text, self._noise_minimum_length):
            return self._noise if not reading.contradicts_itself else self._code_noise(find_contradiction(reading))
        return self._by_reading.get(reading) or self._code_reading(reading)

    def _code_missing(self, operator: str | None) -> Coded:
        labels = tuple((Label(label.code, None),) for (label,) in self._everywhere(ControlCode.NA))
        reasons = self._because(CodingCase.NO_ANSWER)
        coded = self._missing[operator] = self._complete(
            labels, reasons, AnswerState(False, operator), is_written=False
        )
        return coded

    def _code_noise(self, contradiction: Reason | None = None, case: CodingCase = CodingCase.NOISE) -> Coded:
        return self._complete(
            self._everywhere(ControlCode.NC), self._because(case), AnswerState(True, None), True, contradiction
        )

    def _code_reading(self, reading: Reading) -> Coded:
        reviewed = zip(reading.labels, self._everywhere(ControlCode.NR), strict=True)
        coded = self._complete(
            tuple(labels or not_reviewed for labels, not_reviewed in reviewed),
            tuple(_BECAUSE[CodingCase.LABELLED if labels else CodingCase.NOT_REVIEWED] for labels in reading.labels),
            AnswerState(True, None),
            is_written=True,
            contradiction=find_contradiction(reading),
        )
        return _remember(self._by_reading, reading, coded)

    def _code_given(self, values: Mapping[str, Any]) -> Coded:
        """Take the labels that came with the run, like the operator's; NC if the scheme lacks their code."""
        configurations = self.plan.coding_configurations
        documents = [values.get(configuration.coded_field) for configuration in configurations]
        code_ids = tuple(str(d.get("CodeID")) if isinstance(d, dict) else None for d in documents)
        known = self._by_given.get(code_ids)
        if known is not None and known[0] == documents:
            return known[1]
        labels, written = [], []
        for configuration, document in zip(configurations, documents, strict=True):
            code = code_of(configuration.code_scheme, document)
            labels.append((_control(configuration, ControlCode.NC) if code is None else Label(code, document),))
            if code is None:
                written.append(make_label_field(configuration, labels[-1]))
        reasons = self._because(CodingCase.CAME_WITH_RUN)
        complete = self._complete(tuple(labels), reasons, AnswerState(True, None), is_written=False)
        return _remember(self._by_given, code_ids, (documents, replace(complete, manual=tuple(written))))[1]

    def _complete(
        self,
        labels: tuple[Labels, ...],
        reasons: tuple[Reason, ...],
        answer: AnswerState,
        is_written: bool,
        contradiction: Reason | None = None,
    ) -> Coded:
        """Impute, then mark a coding error; with `is_written`, also record the labels before imputation."""
        configurations = self.plan.coding_configurations
        manual = [make_label_field(c, given) for c, given in zip(configurations, labels, strict=True) if is_written]
        after: tuple[Labels, ...] = labels
        why: tuple[Reason | None, ...] = (None,) * len(labels)
        if self._impute is not None:
            after, why = self._impute(labels, answer)
            after = after if answer.is_given else mark_guesses(self.plan, after)
        if contradiction is not None:
            after, why = self._everywhere(ControlCode.CE), (contradiction,) * len(labels)
        # A label equal to the one before replaces nothing.
        after = tuple(old if old == new else new for old, new in zip(labels, after, strict=True))
        is_imputed = tuple(new is not old for old, new in zip(labels, after, strict=True))
        imputed = [
            make_label_field(configuration, new)
            for configuration, new, is_new in zip(configurations, after, is_imputed, strict=True)
            if is_new
        ]
        return Coded(
            make_coding(self.plan, after),
            tuple(manual),
            tuple(imputed),
            tuple(new if is_new and new else old for old, new, is_new in zip(reasons, why, is_imputed, strict=True)),
            is_imputed,
            is_error=contradiction is not None,
        )

    def _because(self, case: CodingCase) -> tuple[Reason, ...]:
        return (_BECAUSE[case],) * len(self.plan.coding_configurations)

    def _everywhere(self, control_code: ControlCode) -> tuple[Labels, ...]:
        return tuple((_control(c, control_code),) for c in self.plan.coding_configurations)


def _remember[K, V](known: dict[K, V], key: K, value: V) -> V:
    if len(known) >= _MOST_ANSWERS:
        known.clear()
    known[key] = value
    return value


def _control(configuration: CodingConfiguration, control_code: ControlCode) -> Label:
    scheme: CodeScheme = configuration.code_scheme
    return make_pipeline_label(scheme, scheme.control(control_code))
