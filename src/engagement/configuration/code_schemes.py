"""Code schemes: the code books that coders label with, one JSON file each."""

import enum
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from engagement.configuration.control_codes import ControlCode, find_meant, make_own_control_code
from engagement.configuration.json_text import find_lines, read_document
from engagement.configuration.model import Model, key
from engagement.configuration.parsing import parse_model
from engagement.configuration.problems import AtStake, Problem, give_lines
from engagement.configuration.value_types import Text, refuse


class CodeType(enum.StrEnum):
    """Kind of meaning that a code has."""

    NORMAL = "Normal"
    CONTROL = "Control"
    META = "Meta"


def _read_control_code(name: str) -> str:
    if name in ControlCode:
        return ControlCode(name)
    meant = find_meant(name)
    if meant is not None:
        raise refuse(f"is another spelling of a code that the pipeline knows; expected '{meant}'. Change it.")
    return name


_OWN = {"type": "string", "minLength": 1, "description": "of the project's own: in ControlCodes of the coding plans"}
ControlCodeName = Annotated[
    Text, AfterValidator(_read_control_code), WithJsonSchema({"anyOf": [{"enum": [str(c) for c in ControlCode]}, _OWN]})
]


class Code(Model):
    """One code of a scheme."""

    code_id: Text = key("CodeID", "id of the code, unique within the scheme", "code-3f1a9c22")
    code_type: CodeType = key("CodeType", "'Normal', 'Control' or 'Meta'", "Normal")
    control_code: ControlCodeName | None = key("ControlCode", "which control code it is, on Control codes", "NA", None)
    meta_code: Text | None = key("MetaCode", "which meta code it is, on Meta codes", "greeting", None)
    display_text: str = key("DisplayText", "what coders see", "woman")
    shortcut: str | None = key("Shortcut", "one character to type in Coda", "w", None, max_length=1)
    numeric_value: int = key("NumericValue", "number of the code, better unique within the scheme", 2)
    string_value: Text = key("StringValue", "name of the code in the outputs, unique within the scheme", "woman")
    visible_in_coda: bool = key("VisibleInCoda", "whether coders can choose it", True)
    color: str | None = key("Color", "colour in Coda", "#b5d3ff", None)
    match_values: tuple[str, ...] = key(
        "MatchValues", "what a cleaner or a table calls it, unique within the scheme", ["woman", "female"], ()
    )

    @property
    def is_normal(self) -> bool:
        """True for a theme or an answer, false for a code about the coding."""
        return self.code_type is CodeType.NORMAL


class Documentation(Model):
    """Address of the scheme's explanation."""

    uri: str = key("URI", "address of the documentation", "https://example.org/code-book")


class CodeScheme(Model):
    """A code book. Codes keep the order of the file, which is the order of the output columns."""

    scheme_id: Text = key("SchemeID", "id of the scheme", "Scheme-7a41c9")
    name: Text = key("Name", "name of the scheme", "Gender")
    version: Text = key("Version", "version of the scheme", "0.0.0.1")
    codes: tuple[Code, ...] = key("Codes", "the codes, in order", [], min_length=1)
    documentation: Documentation | None = key("Documentation", "where the scheme is explained", {}, None)

    @cached_property
    def codes_by_id(self) -> dict[str, Code]:
        """Map the codes by CodeID."""
        return {code.code_id: code for code in self.codes}

    @cached_property
    def codes_by_match_value(self) -> dict[str, Code]:
        """Map the codes by each of their match values."""
        return {value: code for code in self.codes for value in code.match_values}

    @cached_property
    def _control_codes(self) -> dict[str, Code]:
        return {code.control_code: code for code in self.codes if code.control_code is not None}

    @cached_property
    def codes_by_meta_code(self) -> dict[str, Code]:
        """Map the Meta codes by their MetaCode."""
        return {code.meta_code: code for code in self.codes if code.meta_code is not None}

    def control(self, control_code: str) -> Code:
        """Find the scheme's code for a control code; KeyError if it has none."""
        return self._control_codes[control_code]

    def find_control(self, control_code: str) -> Code | None:
        """Find the scheme's code for a control code, or None."""
        return self._control_codes.get(control_code)

    @cached_property
    def _copy_pattern(self) -> re.Pattern[str]:
        return re.compile(re.escape(self.scheme_id) + r"-[0-9]+")

    def owns(self, scheme_id: str) -> bool:
        """Check if a SchemeID is this scheme's own, or that of a numbered copy.

        >>> scheme = CodeScheme.model_construct(scheme_id="Scheme-a")
        >>> scheme.owns("Scheme-a-1"), scheme.owns("Scheme-ab")
        (True, False)
        """
        return scheme_id == self.scheme_id or self._copy_pattern.fullmatch(scheme_id) is not None


def load_code_scheme(path: Path) -> tuple[CodeScheme | None, list[Problem]]:
    """Read a code scheme: the scheme and no problems, or None and every problem with its line.

    Raises
    ------
    ProblemsError
        The file is missing or is not JSON.
    """
    document = read_document(path, "a code scheme")
    scheme, problems = parse_model(CodeScheme, document.content)
    if scheme is not None:
        problems = list(_find_scheme_problems(scheme))
    return (None if problems else scheme), give_lines(problems, lambda: find_lines(document.text))


def give_own_control_codes(scheme: CodeScheme, declared: Sequence[tuple[str, str]]) -> CodeScheme:
    """Give a scheme's project-specific control codes their meanings from the coding plans."""

    def inform(code: Code) -> Code:
        own = code.control_code
        if own is None or isinstance(own, ControlCode):
            return code
        return code.model_copy(update={"control_code": make_own_control_code(own, code.display_text, declared)})

    if all(code.control_code is None or isinstance(code.control_code, ControlCode) for code in scheme.codes):
        return scheme
    return scheme.model_copy(update={"codes": tuple(map(inform, scheme.codes))})


def _find_scheme_problems(scheme: CodeScheme) -> Iterator[Problem]:
    for position, code in enumerate(scheme.codes):
        for kind, value, name in (
            (CodeType.CONTROL, code.control_code, "ControlCode"),
            (CodeType.META, code.meta_code, "MetaCode"),
        ):
            if code.code_type is kind and value is None:
                yield Problem(f"$.Codes[{position}]", f"no {name!r}; expected one on a {kind} code. Add it.")
            if code.code_type is not kind and value is not None:
                yield Problem(
                    f"$.Codes[{position}].{name}",
                    f"{str(value)!r} on a {code.code_type} code; expected none. Remove it, or set CodeType to '{kind}' if that is "
                    "what coders mean by the code: its labels come out as you choose.",
                    at_stake=AtStake(scheme.scheme_id, (code.code_id,)),
                )
    yield from _find_repeated_values(scheme)


# Remedies for a value that two codes share. Labels name a code by its id, and mean what its ControlCode says.
_CHANGE = "Change one."
_REMEDIES = {
    "CodeID": "Keep it on the code that coders mean by it, as labels name that id, and give the other code a new one.",
    "ControlCode": "Keep the code that messages are labelled with, and remove the other one: if that has labels, they count as "
    "not coded (NC) then, and have to be made again.",
}


def _find_repeated_values(scheme: CodeScheme) -> Iterator[Problem]:
    unique: dict[str, Callable[[Code], Sequence[object]]] = {
        "CodeID": lambda code: [code.code_id],
        "StringValue": lambda code: [code.string_value],
        "ControlCode": lambda code: [] if code.control_code is None else [str(code.control_code)],
        "MetaCode": lambda code: [] if code.meta_code is None else [code.meta_code],
        "MatchValues": lambda code: code.match_values,
    }
    for name, values_of in unique.items():
        first: dict[object, int] = {}
        for position, code in enumerate(scheme.codes):
            for value in values_of(code):
                if value in first:
                    ids = dict.fromkeys((scheme.codes[first[value]].code_id, code.code_id))
                    yield Problem(
                        f"$.Codes[{position}].{name}",
                        f"{value!r} is also that of $.Codes[{first[value]}]; expected to be unique within the scheme. "
                        f"{_REMEDIES.get(name, _CHANGE)}",
                        at_stake=AtStake(scheme.scheme_id, tuple(ids)) if name in _REMEDIES else None,
                    )
                first.setdefault(value, position)
