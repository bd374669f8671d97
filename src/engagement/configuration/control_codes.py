"""Control codes, which describe the coding of an answer instead of the answer, in one table.

The manual, the code book, explain, the report and new code schemes take their words, numbers and rules from here.
"""

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engagement.configuration.nearest import find_nearest


class ControlCode(enum.StrEnum):
    """Control codes that the pipeline knows, in order of precedence; a scheme has each at most once.

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
    """Facts about a control code.

    `wording` goes in brackets behind the code, as in "'NR' (not reviewed by a coder yet)"; `meaning` stands beside it in a table.
    `has_responded` is true if somebody with only this code answered the question. No control code makes an answer relevant.
    A new code scheme gets the other three.
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
# The codes of a new scheme, in the order in which coders read them: DELETED and NOC come from older pipelines only.
DEFAULT_CONTROL_CODES = (
    ControlCode.NA, ControlCode.NS, ControlCode.NC, ControlCode.NR,
    ControlCode.NIC, ControlCode.STOP, ControlCode.WS, ControlCode.CE,
)  # fmt: skip


class OwnControlCode(str):
    """A project's own control code, with facts from its coding plans; `rank` orders it among the others."""

    entry: ControlCodeEntry
    rank: tuple[int, str]
    is_declared: bool

    def __new__(cls, code: str, wording: str, position: int, is_declared: bool) -> "OwnControlCode":
        """Make it. `position` is its place in the coding plans' list; codes that are not listed come last."""
        own = super().__new__(cls, code)
        own.entry = ControlCodeEntry(wording, wording, True, code, 0, True)
        own.rank = (len(CONTROL_CODES) + position, code)
        own.is_declared = is_declared
        return own

    def __getnewargs__(self) -> tuple[str, str, int, bool]:  # type: ignore[override]  # of its own __new__
        return str(self), self.entry.wording, self.rank[0] - len(CONTROL_CODES), self.is_declared


def make_own_control_code(code: str, display_text: str, declared: Sequence[tuple[str, str]]) -> OwnControlCode:
    """Make a control code unknown to the pipeline; `declared` has the coding plans' codes with meanings.

    An undeclared code goes by the name that coders see.
    """
    for position, (name, meaning) in enumerate(declared):
        if name == code:
            return OwnControlCode(code, meaning, position, is_declared=True)
    return OwnControlCode(code, display_text, len(declared), is_declared=False)


def say_undeclared(control_code: str) -> str:
    """Advise on a control code that the coding plans do not declare."""
    near = find_nearest(str(control_code), list(map(str, ControlCode)), 1)
    meant = f"; nearest: {near[0]!r}. Change it if that is meant; if not" if near else ". If it is the project's own"
    return (
        f"{str(control_code)!r} is no control code that the pipeline knows; expected one of them, or one that is declared{meant}, add "
        f'{{"Code": "{control_code}", "Meaning": "…"}} to ControlCodes of the coding plans. Until then it counts as an answer that is '
        "not relevant."
    )


def entry_of(control_code: str) -> ControlCodeEntry:
    """Look up the facts about a control code, including the project's own.

    >>> entry_of("NIC").wording
    'not internally consistent'
    """
    return CONTROL_CODES[ControlCode(control_code)] if control_code in ControlCode else _own(control_code).entry


def precedence() -> tuple[ControlCode, ...]:
    """List the pipeline's control codes, in their order of precedence; the project's own come after them."""
    return tuple(CONTROL_CODES)


def rank_of(control_code: str) -> tuple[int, str]:
    """Rank a control code in the order of precedence: of several, the lowest rank counts."""
    if control_code in ControlCode:
        return precedence().index(ControlCode(control_code)), ""
    return _own(control_code).rank


def _own(control_code: str) -> OwnControlCode:
    """Describe a project's own code; a scheme read without the coding plans gives only the code."""
    return (
        control_code
        if isinstance(control_code, OwnControlCode)
        else make_own_control_code(control_code, control_code, ())
    )


def find_meant(name: str) -> ControlCode | None:
    """Find the control code that a name misspells, or None.

    >>> find_meant("n/a"), find_meant("NOP"), find_meant("NA")
    (<ControlCode.NA: 'NA'>, None, <ControlCode.NA: 'NA'>)
    """
    folded = re.sub(r"[\W_]", "", name).upper()
    return ControlCode(folded) if folded in ControlCode else None
