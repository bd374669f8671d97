"""Imputation functions: their shape, and the labels that they make.

An imputation function gets the labels of an answer, a tuple for each coding configuration of the plan in order. It returns the
labels that replace them, in the same shape, and the reasons. Its result depends on nothing else: it is called once for answers that
are alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from engagement.configuration import Code, CodeScheme, CodingPlan, ControlCode
from engagement.pipeline.coding.labels import Label, Labels, make_pipeline_label
from engagement.pipeline.coding.reasons import Reason


@dataclass(frozen=True)
class AnswerState:
    """The facts that an imputation function may look at besides the labels."""

    is_given: bool
    operator: str | None


class Imputed(NamedTuple):
    """Labels and reasons by coding configuration; the reason is None if nothing was imputed."""

    labels: tuple[Labels, ...]
    reasons: tuple[Reason | None, ...]


Imputation = Callable[[tuple[Labels, ...], AnswerState], Imputed]
# Makes the imputation function of a plan; raises ConfigurationError if its schemes can't be understood.
ImputationMaker = Callable[[CodingPlan], Imputation]


def make_control_label(scheme: CodeScheme, control_code: ControlCode) -> Label:
    """Make a label with a control code, which the scheme must have."""
    return make_pipeline_label(scheme, scheme.control(control_code))


def make_same_label(scheme: CodeScheme, code: Code) -> Label:
    """Make the label that corresponds to another scheme's control or meta code; NC if there is none."""
    if code.control_code is not None:
        same = scheme.find_control(code.control_code)
    else:
        same = scheme.codes_by_meta_code.get(code.meta_code or "")
    return make_pipeline_label(scheme, same or scheme.control(ControlCode.NC))
