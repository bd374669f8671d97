"""Fold strategies: how two values of one field of one participant become one. All are associative.

A field of labels holds a tuple of labels, never empty; a text field holds a text, or None where there is none.
"""

from collections.abc import Callable, Sequence

from engagement.configuration import CodeScheme, ControlCode, FoldStrategy
from engagement.configuration.control_codes import rank_of
from engagement.configuration.field_names import AMBIVALENT
from engagement.pipeline.coding.labels import Label, make_pipeline_label

Labels = tuple[Label, ...]
Text = str | None


class FoldError(ValueError):
    """Two values that should be equal are not."""

    def __init__(self, first: object, second: object) -> None:
        super().__init__("values differ")
        self.first, self.second = first, second


def assert_equal(first: Text, second: Text) -> Text:
    """The text that both are; a missing one gives way.

    Raises
    ------
    FoldError
        Both are there and differ.
    """
    if first is None or second is None or first == second:
        return second if first is None else first
    raise FoldError(first, second)


def concatenate(first: Text, second: Text) -> Text:
    """Both texts with ";" between them; a missing one leaves no trace.

    >>> concatenate("haa", "maya"), concatenate(None, "maya")
    ('haa;maya', 'maya')
    """
    if first is None or second is None:
        return second if first is None else first
    return f"{first};{second}"


def boolean_or(first: Text, second: Text) -> Text:
    """ "true" if one of both is."""
    return _either(first, second, "true")


def matrix(first: Text, second: Text) -> Text:
    """ "1" if one of both is."""
    return _either(first, second, "1")


def _either(first: Text, second: Text, wanted: str) -> Text:
    return second if second == wanted or first is None else first


def assert_label_ids_equal(scheme: CodeScheme, first: Labels, second: Labels) -> Labels:
    """The labels that both are, by their codes.

    Raises
    ------
    FoldError
        The codes differ.
    """
    if first == second:
        return first
    raise FoldError(_names(first), _names(second))


def list_of_labels(scheme: CodeScheme, first: Labels, second: Labels) -> Labels:
    """The codes of both in the order in which they appear; NA drops out beside anything else, and so does NC."""
    by_code = {label.code.code_id: label for label in first}
    for label in second:
        by_code.setdefault(label.code.code_id, label)
    labels = tuple(by_code.values())
    if len(labels) > 1:
        for empty in (ControlCode.NA, ControlCode.NC):
            labels = tuple([label for label in labels if label.code.control_code is not empty]) or labels
    return labels


def yes_no_amb(scheme: CodeScheme, first: Labels, second: Labels) -> Labels:
    """Equal values stay, a control code gives way, two control codes fold by precedence, anything else is ambivalent."""
    if first == second:
        return first
    controls = [labels[0].code.control_code is not None for labels in (first, second)]
    if all(controls):
        return control_code_by_precedence(scheme, first, second)
    if any(controls):
        return second if controls[0] else first
    ambivalent = scheme.codes_by_match_value[AMBIVALENT]
    return (make_pipeline_label(scheme, ambivalent),)


def control_code_by_precedence(scheme: CodeScheme, first: Labels, second: Labels) -> Labels:
    """The control code of both that comes first in the order of precedence.

    Raises
    ------
    FoldError
        One is no control code, and both differ.
    """
    if first == second:
        return first
    one, other = (labels[0].code.control_code for labels in (first, second))
    if one is None or other is None:
        raise FoldError(_names(first), _names(second))
    return first if rank_of(one) < rank_of(other) else second


def _names(labels: Sequence[Label]) -> str:
    return ", ".join(label.code.string_value for label in labels)


TEXT_STRATEGIES: dict[FoldStrategy, Callable[[Text, Text], Text]] = {
    FoldStrategy.ASSERT_EQUAL: assert_equal,
    FoldStrategy.CONCATENATE: concatenate,
    FoldStrategy.BOOLEAN_OR: boolean_or,
    FoldStrategy.MATRIX: matrix,
}
LABEL_STRATEGIES: dict[FoldStrategy, Callable[[CodeScheme, Labels, Labels], Labels]] = {
    FoldStrategy.ASSERT_LABEL_IDS_EQUAL: assert_label_ids_equal,
    FoldStrategy.LIST_OF_LABELS: list_of_labels,
    FoldStrategy.YES_NO_AMB: yes_no_amb,
    FoldStrategy.CONTROL_CODE_BY_PRECEDENCE: control_code_by_precedence,
}
