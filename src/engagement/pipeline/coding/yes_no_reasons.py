"""Complete yes or no and its reasons: two schemes of an answer, for when coders used one.

The truth table is in configurations/README.md; the tests read it from there.
"""

import enum
from collections.abc import Mapping
from operator import itemgetter

from engagement.configuration import CodingMode, CodingPlan, ControlCode
from engagement.configuration.control_codes import rank_of
from engagement.configuration.field_names import AMBIVALENT
from engagement.configuration.imputation_checks import find_named_code, sides_of_reasons
from engagement.pipeline.coding.imputing import AnswerState, Imputed, make_control_label, make_same_label
from engagement.pipeline.coding.labels import Label, Labels, make_pipeline_label
from engagement.pipeline.coding.reasons import Fact, Reason, ticked_labels

# These say nothing about the answer: the other scheme may.
_SILENT = (ControlCode.NR, ControlCode.NC)


class YesNoCase(enum.StrEnum):
    """Reasons for a code that coders did not tick in its scheme."""

    FROM_REASONS = "{labels}: yes or no follows from the reasons"
    NO_CODE = "{labels}: these are reasons for {side}, and the code scheme has no {missing!r}"
    NO_REASON = "{labels}: no reason was given"
    SAME = "{labels}: both schemes say the same"


class YesNoReasons:
    """Fills in one scheme's gaps from the other; ticked labels stay, except NC."""

    def __init__(self, plan: CodingPlan) -> None:
        configurations = plan.coding_configurations
        self._plan = plan
        self._at = next(n for n, c in enumerate(configurations) if c.coding_mode is CodingMode.SINGLE)
        reasons = configurations[1 - self._at]
        self._yes_no_scheme, self._reasons_scheme = configurations[self._at].code_scheme, reasons.code_scheme
        self._sides = sides_of_reasons(reasons.code_scheme, reasons.reasons_for_yes, reasons.reasons_for_no)

    def __call__(self, labels: tuple[Labels, ...], answer: AnswerState) -> Imputed:
        """Complete the labels of both schemes, in the plan's order."""
        if not answer.is_given:
            return Imputed(labels, (None, None))
        yes_no, reasons = labels[self._at], labels[1 - self._at]
        told: dict[str, Fact] = {"labels": ticked_labels(self._plan, labels)}
        new_yes_no, why_yes_no = self._complete_yes_no(yes_no, reasons, told)
        new_reasons, why_reasons = self._complete_reasons(yes_no, reasons, told)
        if self._at == 0:
            return Imputed((new_yes_no, new_reasons), (why_yes_no, why_reasons))
        return Imputed((new_reasons, new_yes_no), (why_reasons, why_yes_no))

    def _complete_yes_no(
        self, yes_no: Labels, reasons: Labels, told: Mapping[str, Fact]
    ) -> tuple[Labels, Reason | None]:
        if not _is_silent(yes_no):
            return yes_no, None
        controls = [
            (rank_of(control), label.code)
            for label in reasons
            if (control := label.code.control_code) is not None and control != ControlCode.NR
        ]
        if controls:
            _, first = min(controls, key=itemgetter(0))
            return (make_same_label(self._yes_no_scheme, first),), Reason(YesNoCase.SAME, told)
        sides = {self._sides[label.code.code_id] for label in reasons if label.code.code_id in self._sides}
        if sides:
            label, reason = self._make_yes_no(sides, told)
            return (label,), reason
        if reasons[0].code.control_code is ControlCode.NR or any(label.code.is_normal for label in reasons):
            return yes_no, None
        return (make_same_label(self._yes_no_scheme, reasons[0].code),), Reason(YesNoCase.SAME, told)

    def _complete_reasons(
        self, yes_no: Labels, reasons: Labels, told: Mapping[str, Fact]
    ) -> tuple[Labels, Reason | None]:
        code = yes_no[0].code
        if not _is_silent(reasons) or code.control_code is ControlCode.NR:
            return reasons, None
        if code.is_normal:
            return (make_control_label(self._reasons_scheme, ControlCode.NC),), Reason(YesNoCase.NO_REASON, told)
        return (make_same_label(self._reasons_scheme, code),), Reason(YesNoCase.SAME, told)

    def _make_yes_no(self, sides: set[str], told: Mapping[str, Fact]) -> tuple[Label, Reason]:
        name = next(iter(sides)) if len(sides) == 1 else AMBIVALENT
        code = find_named_code(self._yes_no_scheme, name)
        if code is not None:
            return make_pipeline_label(self._yes_no_scheme, code), Reason(YesNoCase.FROM_REASONS, told)
        facts = {**told, "side": "both" if len(sides) > 1 else name, "missing": name}
        return make_control_label(self._yes_no_scheme, ControlCode.CE), Reason(YesNoCase.NO_CODE, facts)


def _is_silent(labels: Labels) -> bool:
    return labels[0].code.control_code in _SILENT
