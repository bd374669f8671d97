"""Labels: one code of one scheme on one answer, with who put it there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engagement.configuration import Code, CodeScheme

PIPELINE_CODER = "Pipeline Auto-Coder"
MANUALLY_UNCODED = "SPECIAL-MANUALLY_UNCODED"


@dataclass(frozen=True, slots=True)
class Label:
    """A code and the label's JSON as it stands in TracedData; two labels are equal when their codes are."""

    code: Code
    document: Mapping[str, Any]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Label) and self.code.code_id == other.code.code_id

    def __hash__(self) -> int:
        return hash(self.code.code_id)


def make_pipeline_label(scheme: CodeScheme, code: Code, origin_id: str, time: str | None) -> Label:
    """A label that the pipeline sets itself. `origin_id` names what set it, `time` is the answer's own (ISO 8601)."""
    return Label(
        code,
        {
            "Checked": False,
            "CodeID": code.code_id,
            "DateTimeUTC": time,
            "Origin": {"Name": PIPELINE_CODER, "OriginID": origin_id, "OriginType": "External"},
            "SchemeID": scheme.scheme_id,
        },
    )


def make_coder_label(scheme: CodeScheme, code: Code, given: Mapping[str, Any]) -> Label:
    """A coder's label as it was given in Coda, under the primary scheme's id where it was given in a copy."""
    return Label(
        code,
        {
            "Checked": True,
            "CodeID": code.code_id,
            "DateTimeUTC": given["DateTimeUTC"],
            "Origin": given["Origin"],
            "SchemeID": scheme.scheme_id,
        },
    )
