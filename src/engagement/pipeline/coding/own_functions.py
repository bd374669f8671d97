"""Call a project's own cleaners and imputation functions, check their results, report their errors.

Nothing here shows a text: a project's exception may contain a participant's words.
"""

import enum
import functools
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from engagement.configuration import CodingConfiguration, CodingMode, CodingPlan
from engagement.foundation.errors import ConfigurationError
from engagement.pipeline.coding.imputing import AnswerState, Imputation, Imputed
from engagement.pipeline.coding.labels import Label, Labels
from engagement.pipeline.coding.reasons import Fact, Reason, ticked_labels


@dataclass(frozen=True)
class OwnCleaner:
    """One of the project's own cleaners; `name` is `<module>:<function>`."""

    name: str
    function: Callable[..., Any]

    def __call__(self, text: str) -> str | None:
        """Clean a text.

        Raises
        ------
        ConfigurationError
            It raises something, or returns neither a text nor None.
        """
        try:
            found = self.function(text)
        except Exception as error:  # whatever somebody else's code raises
            _tell(self.name, error, "a match value of the code scheme, or None")
        if found is None or isinstance(found, str):
            return found
        raise ConfigurationError(
            f"cleaner {self.name!r}: it gave {_describe(found)}; expected a match value of the code scheme (str), or None. "
            "Mend the function."
        )


@dataclass(frozen=True)
class OwnImputation:
    """One of the project's own imputation functions; `name` is `<module>:<function>`."""

    name: str
    function: Callable[..., Any]

    def __call__(self, plan: CodingPlan) -> Imputation:
        """Make the function for the answers to a plan."""
        return functools.partial(self.impute, plan)

    def impute(self, plan: CodingPlan, labels: tuple[Labels, ...], answer: AnswerState) -> Imputed:
        """Call the function for an answer, and check its result.

        Raises
        ------
        ConfigurationError
            It raises something, or returns a different shape than it was given.
        """
        expected = _expected(plan)
        try:
            given = self.function(plan, labels, answer)
        except Exception as error:  # whatever somebody else's code raises
            _tell(self.name, error, expected)
        fault = _find_fault(plan, given)
        if fault is not None:
            raise ConfigurationError(
                f"imputation function {self.name!r}, plan {plan.raw_field!r}: {fault}; expected {expected}. Mend the function."
            )
        return set_by_project(plan, labels, tuple(map(tuple, given)))


class OwnFunctionCase(enum.StrEnum):
    """Reasons for labels set by a project's own function."""

    FROM_LABELS = "Set by the project's own function {function!r}, from {labels}"
    WITHOUT_LABELS = "Set by the project's own function {function!r}"


def set_by_project(plan: CodingPlan, given: tuple[Labels, ...], made: tuple[Labels, ...]) -> Imputed:
    """Wrap the labels that the project's own function made for a plan, with the reason."""
    ticked = ticked_labels(plan, given)
    case = OwnFunctionCase.FROM_LABELS if ticked else OwnFunctionCase.WITHOUT_LABELS
    facts: dict[str, Fact] = {"function": plan.code_imputation_function or "", "labels": ticked}
    return Imputed(made, (Reason(case, facts),) * len(made))


def _expected(plan: CodingPlan) -> str:
    count = len(plan.coding_configurations)
    return (
        f"{count} tuple(s), one for each coding configuration, as it got them: a tuple of one Label for SINGLE, of one or "
        "more for MULTIPLE, each with a code of its configuration's scheme"
    )


def _find_fault(plan: CodingPlan, given: Any) -> str | None:
    """Find the fault in a function's result; None without one."""
    configurations = plan.coding_configurations
    if not _is_sequence(given):
        return f"it gave {_describe(given)}"
    if len(given) != len(configurations):
        return f"it gave {_describe(given)} for {len(configurations)} coding configuration(s)"
    faults = (_find_fault_in_labels(c, labels) for c, labels in zip(configurations, given, strict=True))
    return next((f"number {n} of what it gave is {fault}" for n, fault in enumerate(faults, 1) if fault), None)


def _find_fault_in_labels(configuration: CodingConfiguration, labels: Any) -> str | None:
    if not _is_sequence(labels) or not labels or not all(isinstance(label, Label) for label in labels):
        return _describe(labels)
    if configuration.coding_mode is CodingMode.SINGLE and len(labels) > 1:
        return f"{_describe(labels)}, for {configuration.coded_field!r}, which is SINGLE"
    foreign = [label.code for label in labels if label.code.code_id not in configuration.code_scheme.codes_by_id]
    if foreign:
        return (
            f"{_describe(labels)} with the code {foreign[0].code_id!r} for {configuration.coded_field!r}, "
            f"whose scheme {configuration.code_scheme.name!r} lacks it"
        )
    return None


def _is_sequence(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _describe(value: Any) -> str:
    """Describe a value by its type and the types in it, never by its content."""
    if not _is_sequence(value):
        return f"a value of type {type(value).__name__}" if value is not None else "None"
    kinds = dict.fromkeys(type(item).__name__ for item in value)
    return f"a {type(value).__name__} of {len(value)}" + (f" ({', '.join(kinds)})" if kinds else "")


def _tell(name: str, error: Exception, expected: str) -> NoReturn:
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}, line {frames[-1].lineno}" if len(frames) > 1 else "its call"
    raise ConfigurationError(
        f"{name!r}: it raised {type(error).__name__} at {where}; expected {expected}. Mend the function."
    ) from None
