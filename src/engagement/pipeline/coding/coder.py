"""Code messages under all plans and record the labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from engagement.configuration import CodingPlan, CodingPlans
from engagement.pipeline.coding.coded_datasets import CodedDataset
from engagement.pipeline.coding.codings import Coding, Field, append_fields, name_of
from engagement.pipeline.coding.imputation import make_imputations
from engagement.pipeline.coding.imputing import ImputationMaker
from engagement.pipeline.coding.locations import OPERATOR_FIELD, operator_name
from engagement.pipeline.coding.plan_coder import PlanCoder
from engagement.pipeline.messages.message import Message
from engagement.provenance import Metadata


@dataclass(slots=True)
class _Codings:
    """A message's codings by plan number, with the fields to write and the errors to report."""

    codings: list[Coding | None]
    manual: list[Field] = field(default_factory=list)
    imputed: list[Field] = field(default_factory=list)
    errors: list[tuple[CodingPlan, str]] = field(default_factory=list)

    def add(self, number: int, plan_coder: PlanCoder, message: Message, operator: str | None) -> None:
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
        """Copy it, so that both can be continued independently."""
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
            PlanCoder(plan, datasets.get(plan.raw_field), noise_minimum_length, impute)
            for plan, impute in zip(plans.all, imputations, strict=True)
        ]
        self._operator_scheme = plans.operator_scheme
        self._manual, self._imputation = manual, imputation
        # Survey answers are coded once for consecutive messages that share them.
        numbers = [
            number for number, plan in enumerate(plans.all) if number >= len(plans.rqa) and plan.raw_field in datasets
        ]
        self._shared = [(number, self._plans[number]) for number in numbers]
        self._own = [item for item in enumerate(self._plans) if item[0] not in numbers]
        self._get_shared = itemgetter(*numbers) if numbers else lambda _: ()
        self._last_shared: tuple[Any, str | None, _Codings] | None = None

    def code(self, message: Message, also: Field) -> list[tuple[CodingPlan, str]]:
        """Code a message and record the labels; `also` is a field that the first step writes besides them.

        Returns the plans whose answer is a coding error because one label says wrong scheme and another does not, with the
        answer's message id.
        """
        operator = operator_name(self._operator_scheme, message.record.values.get(OPERATOR_FIELD))
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
        # Sorting now makes the later sort cheap.
        found.manual.sort(key=name_of)
        self._last_shared = texts, operator, found
        return found
