"""The keys of raw data: what the fetch calls the results of a flow, and what else it writes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

RESULT_PARTS = ("Category", "Value", "Text", "Name", "Time", "Run ID")
ANSWER_PARTS = ("Text", "Value", "Category")
# What every run has besides its results; those of the first kind have " - <flow>" behind them.
RUN_KEYS = ("run_id", "run_created_on", "run_modified_on", "run_exited_on", "run_exit_type")
CONTACT_KEYS = ("avf_phone_id", "urn_type", "operator_raw", "operator_coded", "test_run")
# What the messages of a recovery file have: the keys of their text, time and run id. A source may have keys of its own.
RecoveredKeyNames = tuple[str, str, str]
DEFAULT_RECOVERED_KEYS: RecoveredKeyNames = ("message", "received_on", "run_id")
RECOVERED_PARTS = ("Text", "Time", "Run ID")
_RESULT_KEY = re.compile(rf"(?P<category>.+) \((?P<part>{'|'.join(RESULT_PARTS)})\) - (?P<flow>.+)", re.DOTALL)
# Of a part that there is not; tried last, as flows can have brackets in their names.
_LIKE_A_RESULT_KEY = re.compile(r"(?P<category>.+?) \((?P<part>[^()]+)\) - (?P<flow>.+)", re.DOTALL)


@dataclass(frozen=True)
class ResultKey:
    """A key like "Age (Time) - demographics": which result of which flow, and which part of it."""

    category: str
    part: str
    flow: str


def read_result_key(raw_key: str) -> ResultKey | None:
    """Take the key of a result apart; None for any other key. The part need not be one that there is.

    >>> read_result_key("Age (Time) - demographics")
    ResultKey(category='Age', part='Time', flow='demographics')
    """
    match = _RESULT_KEY.fullmatch(raw_key) or _LIKE_A_RESULT_KEY.fullmatch(raw_key)
    return None if match is None else ResultKey(match["category"], match["part"], match["flow"])


def flow_of_key(raw_key: str) -> str | None:
    """The flow that a raw key is of; None for a key that runs of any flow have.

    >>> flow_of_key("Age (Time) - demographics"), flow_of_key("run_id - show"), flow_of_key("urn_type")
    ('demographics', 'show', None)
    """
    result = read_result_key(raw_key)
    if result is not None:
        return result.flow
    start, dash, flow = raw_key.partition(" - ")
    return flow if dash and start in RUN_KEYS else None


def find_recovered_key(raw_key: str, recovered: Sequence[RecoveredKeyNames]) -> tuple[RecoveredKeyNames, str] | None:
    """The keys that a key of recovered messages goes with, and which part it is of; None for any other key.

    >>> find_recovered_key("received_on", [DEFAULT_RECOVERED_KEYS])
    (('message', 'received_on', 'run_id'), 'Time')
    """
    for names in recovered:
        if raw_key in names:
            return names, RECOVERED_PARTS[names.index(raw_key)]
    return None


def category_of(result: str) -> str:
    """The fetch's name for a result of RapidPro's.

    >>> category_of("rqa_s01e01_raw")
    'Rqa_S01E01_Raw'
    """
    return result.title()
