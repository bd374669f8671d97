"""Yes or no, and the reasons for it: two schemes of one answer, of which coders may have used one only.

The truth table is in configurations/README.md, and tested as it stands there.
"""

from operator import itemgetter

from engagement.configuration import CodingMode, CodingPlan, ControlCode
from engagement.configuration.control_codes import rank_of
from engagement.configuration.field_names import AMBIVALENT
from engagement.configuration.imputation_checks import find_named_code, sides_of_reasons
from engagement.pipeline.coding.imputing import Answer, Labels, make_control_label, make_same_label
from engagement.pipeline.coding.labels import Label, make_pipeline_label

# These say nothing of the answer: the other scheme may.
_SILENT = (ControlCode.NR, ControlCode.NC)


class YesNoReasons:
    """Fills in what the one scheme leaves open and the other one tells; what coders ticked besides NC stays."""

    def __init__(self, plan: CodingPlan) -> None:
        configurations = plan.coding_configurations
        self._at = next(n for n, c in enumerate(configurations) if c.coding_mode is CodingMode.SINGLE)
        reasons = configurations[1 - self._at]
        self._yes_no_scheme, self._reasons_scheme = configurations[self._at].code_scheme, reasons.code_scheme
        self._sides = sides_of_reasons(reasons.code_scheme, reasons.reasons_for_yes, reasons.reasons_for_no)

    def __call__(self, labels: tuple[Labels, ...], answer: Answer) -> tuple[Labels, ...]:
        """The labels of both schemes, in the plan's order."""
        yes_no, reasons = labels[self._at], labels[1 - self._at]
        if answer.is_given:
            yes_no, reasons = self._complete_yes_no(yes_no, reasons), self._complete_reasons(yes_no, reasons)
        return (yes_no, reasons) if self._at == 0 else (reasons, yes_no)

    def _complete_yes_no(self, yes_no: Labels, reasons: Labels) -> Labels:
        if not _is_silent(yes_no):
            return yes_no
        controls = [
            (rank_of(control), label.code)
            for label in reasons
            if (control := label.code.control_code) is not None and control != ControlCode.NR
        ]
        if controls:
            _, first = min(controls, key=itemgetter(0))
            return (make_same_label(self._yes_no_scheme, first),)
        sides = {self._sides[label.code.code_id] for label in reasons if label.code.code_id in self._sides}
        if sides:
            return (self._make_yes_no(sides),)
        if reasons[0].code.control_code is ControlCode.NR or any(label.code.is_normal for label in reasons):
            return yes_no
        return (make_same_label(self._yes_no_scheme, reasons[0].code),)

    def _complete_reasons(self, yes_no: Labels, reasons: Labels) -> Labels:
        code = yes_no[0].code
        if not _is_silent(reasons) or code.control_code is ControlCode.NR:
            return reasons
        if code.is_normal:
            return (make_control_label(self._reasons_scheme, ControlCode.NC),)
        return (make_same_label(self._reasons_scheme, code),)

    def _make_yes_no(self, sides: set[str]) -> Label:
        code = find_named_code(self._yes_no_scheme, sides.pop() if len(sides) == 1 else AMBIVALENT)
        if code is None:
            return make_control_label(self._yes_no_scheme, ControlCode.CE)
        return make_pipeline_label(self._yes_no_scheme, code)


def _is_silent(labels: Labels) -> bool:
    return labels[0].code.control_code in _SILENT
