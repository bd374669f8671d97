"""Fold strategies: make one value from two values of a participant's field, and say why.

All are associative.

A label field holds a tuple of labels, never empty; a text field holds a text or None.
"""

import enum
from collections.abc import Callable, Sequence

from engagement.configuration import CodeScheme, ControlCode, FoldStrategy
from engagement.configuration.control_codes import precedence, rank_of
from engagement.configuration.field_names import AMBIVALENT
from engagement.pipeline.coding.labels import Label, Labels, make_pipeline_label
from engagement.pipeline.coding.reasons import Reason

# These mean nothing beside another code: the first gives way before the others do.
GIVING_WAY = (ControlCode.NA, ControlCode.NC)
TEXT_SEPARATOR = ";"


class FoldCase(enum.StrEnum):
    """Reasons for the result of a fold."""

    ONE_MESSAGE = "there is one message only"
    EQUAL = "all messages have to have the same code, and have"
    EVERY_CODE = "every code of any message; {giving_way} stay only where there is nothing else"
    SAME = "values that are the same stay"
    CONTROL_GIVES_WAY = "a control code gives way"
    AMBIVALENT = "codes that differ make {ambivalent!r}"
    PRECEDENCE = "the control code that comes first in {order}, then the project's own"
    TEXTS_JOINED = "the texts of all messages, with {separator!r} between them"
    TEXTS_EQUAL = "all messages have to have the same text, and have"

    def reason(self) -> Reason:
        """Return the case with the facts that its sentence names, from the tables that decide."""
        return Reason(
            self,
            {
                "giving_way": " and ".join(GIVING_WAY),
                "ambivalent": AMBIVALENT,
                "order": ", ".join(precedence()),
                "separator": TEXT_SEPARATOR,
            },
        )


FoldedLabels = tuple[Labels, FoldCase]


class FoldError(ValueError):
    """Raised for two values that should be equal but are not."""

    def __init__(self, first: object, second: object) -> None:
        super().__init__("values differ")
        self.first, self.second = first, second


def assert_equal(first: str | None, second: str | None) -> str | None:
    """Keep the text if both are equal; a missing one gives way.

    Raises
    ------
    FoldError
        Neither is missing, and they differ.
    """
    if first is None or second is None or first == second:
        return second if first is None else first
    raise FoldError(first, second)


def concatenate(first: str | None, second: str | None) -> str | None:
    """Join both texts with ";" between them; a missing one leaves no trace.

    >>> concatenate("haa", "maya"), concatenate(None, "maya")
    ('haa;maya', 'maya')
    """
    if first is None or second is None:
        return second if first is None else first
    return f"{first}{TEXT_SEPARATOR}{second}"


def boolean_or(first: str | None, second: str | None) -> str | None:
    """Return "true" if either is."""
    return _either(first, second, "true")


def matrix(first: str | None, second: str | None) -> str | None:
    """Return "1" if either is."""
    return _either(first, second, "1")


def _either(first: str | None, second: str | None, wanted: str) -> str | None:
    return second if second == wanted or first is None else first


def assert_label_ids_equal(scheme: CodeScheme, first: Labels, second: Labels) -> FoldedLabels:
    """Keep the labels if both have the same codes.

    Raises
    ------
    FoldError
        The codes differ.
    """
    if first == second:
        return first, FoldCase.EQUAL
    raise FoldError(_names(first), _names(second))


def list_of_labels(scheme: CodeScheme, first: Labels, second: Labels) -> FoldedLabels:
    """Keep the codes of both in order of appearance; NA drops out beside anything else, and so does NC."""
    by_code = {label.code.code_id: label for label in first}
    for label in second:
        by_code.setdefault(label.code.code_id, label)
    labels = tuple(by_code.values())
    if len(labels) > 1:
        for empty in GIVING_WAY:
            labels = tuple([label for label in labels if label.code.control_code is not empty]) or labels
    return labels, FoldCase.EVERY_CODE


def yes_no_amb(scheme: CodeScheme, first: Labels, second: Labels) -> FoldedLabels:
    """Fold equal values to themselves, control codes by precedence, other differing ones to ambivalent.

    A control code gives way to any other code.
    """
    if first == second:
        return first, FoldCase.SAME
    controls = [labels[0].code.control_code is not None for labels in (first, second)]
    if all(controls):
        return control_code_by_precedence(scheme, first, second)
    if any(controls):
        return second if controls[0] else first, FoldCase.CONTROL_GIVES_WAY
    ambivalent = scheme.codes_by_match_value[AMBIVALENT]
    return (make_pipeline_label(scheme, ambivalent),), FoldCase.AMBIVALENT


def control_code_by_precedence(scheme: CodeScheme, first: Labels, second: Labels) -> FoldedLabels:
    """Keep whichever control code comes first in the order of precedence.

    Raises
    ------
    FoldError
        They differ, and one is not a control code.
    """
    if first == second:
        return first, FoldCase.PRECEDENCE
    one, other = (labels[0].code.control_code for labels in (first, second))
    if one is None or other is None:
        raise FoldError(_names(first), _names(second))
    return first if rank_of(one) < rank_of(other) else second, FoldCase.PRECEDENCE


def _names(labels: Sequence[Label]) -> str:
    return ", ".join(label.code.string_value for label in labels)


TEXT_STRATEGIES: dict[FoldStrategy, Callable[[str | None, str | None], str | None]] = {
    FoldStrategy.ASSERT_EQUAL: assert_equal,
    FoldStrategy.CONCATENATE: concatenate,
    FoldStrategy.BOOLEAN_OR: boolean_or,
    FoldStrategy.MATRIX: matrix,
}
LABEL_STRATEGIES: dict[FoldStrategy, Callable[[CodeScheme, Labels, Labels], FoldedLabels]] = {
    FoldStrategy.ASSERT_LABEL_IDS_EQUAL: assert_label_ids_equal,
    FoldStrategy.LIST_OF_LABELS: list_of_labels,
    FoldStrategy.YES_NO_AMB: yes_no_amb,
    FoldStrategy.CONTROL_CODE_BY_PRECEDENCE: control_code_by_precedence,
}
