"""Labels: one code of one scheme on one answer, with who put it there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engagement.configuration import Code, CodeScheme

PIPELINE_CODER = "Pipeline Auto-Coder"
MANUALLY_UNCODED = "SPECIAL-MANUALLY_UNCODED"


@dataclass(frozen=True, slots=True)
class Label:
    """A code and the label's JSON as it stands in TracedData; two labels are equal when their codes are.

    The JSON names code and scheme. A coder's label, and one that came with the run, also say who made it and when; of the
    pipeline's own the update that holds it says so. There is none for "true missing" where no answer was given: in
    TracedData such a field has no value.

    `guessed_from` is None for a code that an answer led to. Where nobody answered it says what the code was guessed from:
    "operator", or the project's own function.
    """

    code: Code
    document: Mapping[str, Any] | None
    guessed_from: str | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Label) and self.code.code_id == other.code.code_id

    def __hash__(self) -> int:
        return hash(self.code.code_id)


def newest_by_scheme_id(labels: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The newest label of each scheme of a message, whose labels are newest first."""
    newest: dict[str, Mapping[str, Any]] = {}
    for label in labels:
        newest.setdefault(label["SchemeID"], label)
    return newest


def counts(label: Mapping[str, Any]) -> bool:
    """Whether a scheme's newest label is a coder's: ticked, and not taken off again."""
    return label.get("Checked") is True and label["CodeID"] != MANUALLY_UNCODED


def origin_of(label: Mapping[str, Any]) -> Mapping[str, Any]:
    """Who or what made a label: OriginID, Name, OriginType; nothing where the label does not say so."""
    origin = label.get("Origin")
    return origin if isinstance(origin, dict) else {}


def make_pipeline_label(scheme: CodeScheme, code: Code) -> Label:
    """A label that the pipeline sets itself."""
    return Label(code, {"CodeID": code.code_id, "SchemeID": scheme.scheme_id})


def make_coder_label(scheme: CodeScheme, code: Code, given: Mapping[str, Any]) -> Label:
    """A coder's label as it was given in Coda, under the primary scheme's id where it was given in a copy.

    Labels of older tools may not say who made them, or when.
    """
    said = {name: given[name] for name in ("DateTimeUTC", "Origin") if given.get(name) is not None}
    return Label(code, {"Checked": True, "CodeID": code.code_id, **said, "SchemeID": scheme.scheme_id})


def propose_label(scheme: CodeScheme, code: Code, origin_id: str, time: str) -> dict[str, Any]:
    """A label that coders are asked to check, as JSON for Coda.

    `origin_id` names what proposes it, `time` is the creation time of the text's message (ISO 8601).
    """
    return {
        "Checked": False,
        "CodeID": code.code_id,
        "DateTimeUTC": time,
        "Origin": {"Name": PIPELINE_CODER, "OriginID": origin_id, "OriginType": "External"},
        "SchemeID": scheme.scheme_id,
    }
