"""The codes that nearly every scheme has beside its own: about the coding, and about messages that are no answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from engagement.configuration import ControlCode


@dataclass(frozen=True)
class StandardCode:
    """How a control or meta code stands in a scheme, and what it means where a table holds it."""

    display_text: str
    numeric_value: int
    visible_in_coda: bool
    meaning: str


CONTROL_CODES: Mapping[ControlCode, StandardCode] = {
    ControlCode.NA: StandardCode("NA (missing)", -10, False, "no answer: the question did not reach them, or they were silent"),
    ControlCode.NS: StandardCode("NS (skipped)", -20, False, "skipped: the question was not put to them"),
    ControlCode.NC: StandardCode("NC (not coded)", -30, True, "an answer that no code fits, or that nobody could code"),
    ControlCode.NR: StandardCode("NR (not reviewed)", -40, False, "an answer that no coder has looked at yet"),
    ControlCode.NIC: StandardCode("NIC (not internally consistent)", -50, True, "an answer that contradicts itself"),
    ControlCode.STOP: StandardCode("STOP (withdrew consent)", -90, True, "the participant withdrew consent"),
    ControlCode.WS: StandardCode("WS (wrong scheme)", -100, True, "the answer belongs to another question"),
    ControlCode.CE: StandardCode("CE (coding error)", -110, False, "the labels contradict each other"),
    ControlCode.DELETED: StandardCode("DELETED (deleted)", -120, False, "the answer was deleted"),
    ControlCode.NOC: StandardCode("NOC (noise, other channel)", -130, False, "noise, or from another channel"),
}  # fmt: skip
# Those that a new scheme gets: DELETED and NOC come from older pipelines only.
DEFAULT_CONTROL_CODES = (
    ControlCode.NA, ControlCode.NS, ControlCode.NC, ControlCode.NR,
    ControlCode.NIC, ControlCode.STOP, ControlCode.WS, ControlCode.CE,
)  # fmt: skip

META_CODES: Mapping[str, int] = {
    "push_back": -100000,
    "question": -100010,
    "greeting": -100020,
    "showtime_question": -100030,
    "opt_in": -100040,
    "escalate": -100080,
    "gratitude": -100100,
    "about_conversation": -100120,
    "impact": -100140,
}
