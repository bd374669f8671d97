"""Codes that look like another code of their scheme: coders tick the wrong one, and nobody notices.

The worst case is a theme that looks like STOP: people labelled with it are not withdrawn. Readers ignore case, blanks
and punctuation, so this module does, too.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engagement.configuration import Code, CodeType, ControlCode
from engagement.configuration.control_codes import CONTROL_CODES

_IN_BRACKETS = re.compile(r"(.*)\((.*)\)")

_HARM: dict[str, str] = {
    ControlCode.STOP: "whoever is labelled with it is not withdrawn",
    ControlCode.WS: "no answer that is labelled with it moves",
}


@dataclass(frozen=True)
class LookAlike:
    """A code (by position), one of its names, and the control or other code that the name resembles."""

    position: int
    field: str
    name: str
    control: str | None = None
    other: int | None = None


def find_look_alikes(codes: Sequence[Code]) -> Iterator[LookAlike]:
    """Find codes that look like a control code, then answer codes that share a display text."""
    controls = _names_of_controls(codes)
    for position, code in enumerate(codes):
        if code.code_type is CodeType.CONTROL:
            continue
        for field, name in _names_of(code):
            control = controls.get(fold_code_name(name))
            if control is not None:
                yield LookAlike(position, field, name, control=control)
                break
    first: dict[str, int] = {}
    for position, code in enumerate(codes):
        folded = fold_code_name(code.display_text)
        if code.code_type is CodeType.CONTROL or not folded or folded in controls:
            continue
        other = first.setdefault(folded, position)
        if other != position:
            yield LookAlike(position, "DisplayText", code.display_text, other=other)


def say_harm(control: str) -> str:
    """Describe the harm if coders tick a code that looks like this control code."""
    return _HARM.get(control, "its answers count as answers")


def fold_code_name(name: str) -> str:
    """Reduce a name to its letters and digits, all that a reader notices.

    >>> fold_code_name(" S.T.O.P "), fold_code_name("not_coded"), fold_code_name("--")
    ('stop', 'notcoded', '')
    """
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())


def _names_of(code: Code) -> Iterator[tuple[str, str]]:
    yield "DisplayText", code.display_text
    yield "StringValue", code.string_value
    yield from (("MatchValues", value) for value in code.match_values)


def _names_of_controls(codes: Sequence[Code]) -> dict[str, str]:
    """Return the control codes by name: their general names, and those in this scheme."""
    names: dict[str, str] = {}
    for control, standard in CONTROL_CODES.items():
        in_brackets = _IN_BRACKETS.fullmatch(standard.display_text)
        for name in (str(control), standard.display_text, *(in_brackets.groups() if in_brackets else ())):
            names.setdefault(fold_code_name(name), control)
    for code in codes:
        if code.control_code is not None:
            for _, name in _names_of(code):
                names.setdefault(fold_code_name(name), code.control_code)
    names.pop("", None)
    return names
