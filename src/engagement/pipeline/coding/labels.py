"""Labels: a code of a scheme on an answer, and its maker.

All reading of labels' JSON, from Coda or TracedData, happens here and in `services.coda.labels`, which tells which of a
message's labels count.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engagement.configuration import Code, CodeScheme, ControlCode
from engagement.provenance import encode_json
from engagement.services.coda.labels import MANUALLY_UNCODED as MANUALLY_UNCODED
from engagement.services.coda.labels import counts as counts
from engagement.services.coda.labels import is_labelled as is_labelled
from engagement.services.coda.labels import is_ticked as is_ticked
from engagement.services.coda.labels import newest_by_scheme_id as newest_by_scheme_id

PIPELINE_CODER = "Pipeline Auto-Coder"


@dataclass(frozen=True)
class Label:
    """A code and its label's JSON as TracedData stores it; two labels are equal if their codes are.

    The JSON names code and scheme. The JSON of a coder's label, or of one that came with the run, also names its maker and
    time; for the pipeline's own labels the update that holds them does. "True missing" for want of an answer has no JSON: in
    TracedData such a field has no value.

    `guessed_from` is None for a code that comes from an answer. Without an answer it names the source of the guess:
    "operator", or the project's own function.
    """

    code: Code
    document: Mapping[str, Any] | None
    guessed_from: str | None = None

    @cached_property
    def encoded(self) -> str:
        """Its JSON, encoded once for all the fields that hold it."""
        return encode_json(self.document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Label) and self.code.code_id == other.code.code_id

    def __hash__(self) -> int:
        return hash(self.code.code_id)


Labels = tuple[Label, ...]
"""The labels of one coded field, never empty once it is coded."""


def counting_labels(
    newest: Mapping[str, Mapping[str, Any]], scheme: CodeScheme, other_ids: Iterable[str] = ()
) -> Iterator[Mapping[str, Any]]:
    """Return the newest labels that count under a scheme and its copies, except those under `other_ids`."""
    for scheme_id, label in newest.items():
        if scheme_id != scheme.scheme_id and (scheme_id in other_ids or not scheme.owns(scheme_id)):
            continue
        if counts(label):
            yield label


def code_of(scheme: CodeScheme, label: object) -> Code | None:
    """Find the code that a label names; None without a label, or if the scheme lacks the code."""
    code_id = label.get("CodeID") if isinstance(label, dict) else None
    return scheme.codes_by_id.get(code_id) if isinstance(code_id, str) else None


WITHDRAWING = (ControlCode.STOP,)
"""The control codes that withdraw a participant's consent, on any of their answers."""


def withdraws(code: Code) -> bool:
    """Tell whether a code on an answer withdraws the participant's consent."""
    return code.control_code in WITHDRAWING


def is_wrong_scheme(code: Code) -> bool:
    """Tell whether a code says that the answer belongs to another dataset."""
    return code.control_code is ControlCode.WS


def names_dataset(code: Code) -> bool:
    """Tell whether a code of the WS scheme names a dataset; NC means none of the project's."""
    return code.is_normal or code.control_code is ControlCode.NC


def traced_documents(value: object) -> Sequence[object]:
    """List the JSON of the labels in a coded field of TracedData: one (SINGLE) or several (MULTIPLE)."""
    return value if isinstance(value, list) else [value]


def read_traced_labels(scheme: CodeScheme, value: object) -> Labels:
    """Read the labels in a coded field of TracedData; a field without a value is "true missing".

    Raises
    ------
    UnknownCodesError
        The scheme lacks some of the codes.
    """
    if value is None:
        return (Label(scheme.control(ControlCode.NA), None),)
    documents = [document for document in traced_documents(value) if isinstance(document, dict)]
    found = tuple(Label(code, document) for document in documents if (code := code_of(scheme, document)) is not None)
    if len(found) < len(documents):
        raise UnknownCodesError([str(d.get("CodeID")) for d in documents if code_of(scheme, d) is None])
    return found


def read_traced_ticks(scheme: CodeScheme, value: object) -> Labels:
    """Read the ticked labels in a coded field of TracedData, if the scheme has their codes."""
    return tuple(
        Label(code, document)
        for document in traced_documents(value)
        if isinstance(document, dict) and is_ticked(document) and (code := code_of(scheme, document)) is not None
    )


class UnknownCodesError(ValueError):
    """Raised for labels with codes that their scheme lacks."""

    def __init__(self, code_ids: Sequence[str]) -> None:
        super().__init__("unknown codes")
        self.code_ids = code_ids


def origin_of(label: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the OriginID, Name and OriginType of a label's maker; empty if the label does not name one."""
    origin = label.get("Origin")
    return origin if isinstance(origin, dict) else {}


def make_pipeline_label(scheme: CodeScheme, code: Code) -> Label:
    """Make a label that the pipeline sets itself."""
    return Label(code, {"CodeID": code.code_id, "SchemeID": scheme.scheme_id})


def make_coder_label(scheme: CodeScheme, code: Code, given: Mapping[str, Any]) -> Label:
    """Make a coder's label as given in Coda, under the primary scheme's id even if given in a copy.

    Labels of older tools may lack their maker or time.
    """
    said = {name: given[name] for name in ("DateTimeUTC", "Origin") if given.get(name) is not None}
    return Label(code, {"Checked": True, "CodeID": code.code_id, **said, "SchemeID": scheme.scheme_id})


def propose_label(scheme: CodeScheme, code: Code, origin_id: str, time: str) -> dict[str, Any]:
    """Make a label for coders to check, as JSON for Coda.

    `origin_id` names the proposer, `time` is the creation time of the text's message (ISO 8601).
    """
    return {
        "Checked": False,
        "CodeID": code.code_id,
        "DateTimeUTC": time,
        "Origin": {"Name": PIPELINE_CODER, "OriginID": origin_id, "OriginType": "External"},
        "SchemeID": scheme.scheme_id,
    }
