"""Control codes: what is said about the coding of an answer instead of about the answer. One table for everything that needs them.

The manual, the code book, explain, the report and new code schemes take their words, numbers and rules from here.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class ControlCode(enum.StrEnum):
    """The control codes that the pipeline knows; a scheme has each at most once. Their order is that of precedence.

    The first of these that a participant has stands for all of theirs.
    """

    STOP = "STOP"
    CE = "CE"
    NR = "NR"
    NIC = "NIC"
    NC = "NC"
    DELETED = "DELETED"
    NA = "NA"
    NS = "NS"
    WS = "WS"
    NOC = "NOC"


@dataclass(frozen=True)
class ControlCodeEntry:
    """What a control code says.

    `wording` goes in brackets behind the code, as in "'NR' (not reviewed by a coder yet)"; `meaning` stands beside it in a table.
    `has_responded` tells whether somebody with this code alone answered the question. No control code makes an answer relevant.
    The other three are what a new code scheme gets.
    """

    wording: str
    meaning: str
    has_responded: bool
    display_text: str
    numeric_value: int
    visible_in_coda: bool


CONTROL_CODES: Mapping[ControlCode, ControlCodeEntry] = {
    ControlCode.STOP: ControlCodeEntry(
        "consent withdrawn", "the participant withdrew consent", True, "STOP (withdrew consent)", -90, True
    ),
    ControlCode.CE: ControlCodeEntry(
        "coding error", "the labels contradict each other", True, "CE (coding error)", -110, False
    ),
    ControlCode.NR: ControlCodeEntry(
        "not reviewed by a coder yet", "an answer that no coder has looked at yet", True, "NR (not reviewed)", -40, False
    ),
    ControlCode.NIC: ControlCodeEntry(
        "not internally consistent", "an answer that contradicts itself", True,
        "NIC (not internally consistent)", -50, True,
    ),
    ControlCode.NC: ControlCodeEntry(
        "not coded", "an answer that is empty or noise, that no code fits, or that nobody could code", True,
        "NC (not coded)", -30, True,
    ),
    ControlCode.DELETED: ControlCodeEntry(
        "deleted", "the answer was deleted", True, "DELETED (deleted)", -120, False
    ),
    ControlCode.NA: ControlCodeEntry(
        "no answer", "no answer: the question did not reach them, or they were silent", False, "NA (missing)", -10, False
    ),
    ControlCode.NS: ControlCodeEntry(
        "skipped", "skipped: the question was not put to them", False, "NS (skipped)", -20, False
    ),
    ControlCode.WS: ControlCodeEntry(
        "wrong scheme", "the answer belongs to another question", True, "WS (wrong scheme)", -100, True
    ),
    ControlCode.NOC: ControlCodeEntry(
        "noise, or from another channel", "noise, or from another channel", True,
        "NOC (noise, other channel)", -130, False,
    ),
}  # fmt: skip
# Those that a new scheme gets, in the order in which coders read them: DELETED and NOC come from older pipelines only.
DEFAULT_CONTROL_CODES = (
    ControlCode.NA, ControlCode.NS, ControlCode.NC, ControlCode.NR,
    ControlCode.NIC, ControlCode.STOP, ControlCode.WS, ControlCode.CE,
)  # fmt: skip
