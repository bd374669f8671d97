"""Suggestions: labels that coders' own labels teach, for coders to confirm in Coda."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from engagement.configuration.code_schemes import CodeScheme
from engagement.configuration.model import Model, key
from engagement.configuration.problems import Problem


class Suggestions(Model):
    """How sure suggestions have to be, and where there are none."""

    precision: float = key("Precision", "share of the suggestions that have to be right", 0.95, 0.9, ge=0.5, lt=1)
    minimum_labelled: int = key(
        "MinimumLabelled", "texts that coders have to label before the first suggestion", 300, 200, ge=30
    )
    blind_share: float = key(
        "BlindShare",
        "share of the messages that never get a suggestion: they show how right suggestions are",
        0.2,
        0.1,
        ge=0.02,
        le=0.5,
    )


def _read_true(value: Any) -> Any:
    return {} if value is True else value


SuggestionsChoice = Annotated[
    Suggestions | None, BeforeValidator(_read_true, json_schema_input_type=Literal[True] | Suggestions | None)
]
"""`true` for the usual settings, or the settings."""


def find_suggestion_problems(
    at: str, has_dataset: bool, is_shown: bool, scheme: CodeScheme | None
) -> Iterator[Problem]:
    """Find why there can be no suggestions for a coding configuration that asks for them."""
    place = f"{at}.Suggestions"
    if not has_dataset:
        yield Problem(
            place, "the plan has no CodaFilename; expected one, as coders confirm suggestions in Coda. Add it."
        )
    elif not is_shown:
        yield Problem(place, "InCoda is false; expected a scheme that coders see. Remove one of the two.")
    if scheme is not None and all(code.control_code is not None for code in scheme.codes):
        yield Problem(
            place,
            "the scheme has only control codes, which are never suggested; expected a scheme of themes. Remove it.",
        )
