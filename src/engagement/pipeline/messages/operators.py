"""Give a participant one mobile operator, however the messages came."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from engagement.configuration import CodingPlans, FoldStrategy, RawFieldFoldStrategy
from engagement.configuration.field_names import OPERATOR_FIELD, RAW_OPERATOR_FIELD
from engagement.provenance import Metadata, Nested, TracedData


class _Operator(NamedTuple):
    """An operator as a run tells it: a number's first digits or a channel's name, and the id of its code."""

    raw: str
    code_id: str | None

    @property
    def rank(self) -> tuple[bool, bool]:
        """What counts most comes first: a phone number's before a channel's, with a code before one without."""
        return not self.raw.isdigit(), self.code_id is None


def expects_one_operator(plans: CodingPlans) -> bool:
    """Tell whether stage 3 would stop at a participant with two operators.

    The plan of the operators decides; without one, the plans with codes that may be guessed from operators do.
    """
    codings = [(plan, coding) for plan in plans.all for coding in plan.coding_configurations]
    own = [(plan, coding) for plan, coding in codings if coding.coded_field == OPERATOR_FIELD]
    if any(plan.raw_field_fold_strategy is RawFieldFoldStrategy.ASSERT_EQUAL for plan, _ in own):
        return True
    guessing = [(plan, coding) for plan, coding in codings if plan.code_imputation_function is not None]
    return plans.operator_scheme is not None and any(
        coding.fold_strategy is FoldStrategy.ASSERT_LABEL_IDS_EQUAL for _, coding in own or guessing
    )


def unify_operator(runs: Sequence[TracedData], survey: Nested | None, metadata: Metadata) -> None:
    """Give all runs of a participant one operator, where they tell several, or some tell none.

    A phone number's operator counts before the name of a channel, such as a spreadsheet or a Telegram group; of several, the first in
    the order of the sources. A run without one has that of the survey answers, once these are joined.
    """
    otherwise = None if survey is None else _read_operator(survey.values)
    told = [_read_operator(run.values) or otherwise for run in runs]
    known = [one for one in told if one is not None]
    if not known or told.count(known[0]) == len(told):
        return
    operator = min(known, key=lambda one: one.rank)
    source = runs[told.index(operator)].values
    if survey is not None and RAW_OPERATOR_FIELD not in source:
        source = survey.values
    fields = {name: source[name] for name in (RAW_OPERATOR_FIELD, OPERATOR_FIELD) if name in source}
    for run, one in zip(runs, told, strict=True):
        if one != operator:
            run.append(fields, metadata)


def _read_operator(values: Mapping[str, Any]) -> _Operator | None:
    raw = values.get(RAW_OPERATOR_FIELD)
    if raw is None:
        return None
    label = values.get(OPERATOR_FIELD)
    return _Operator(str(raw), label.get("CodeID") if isinstance(label, Mapping) else None)
