"""The keys of raw data: the fetch's names for the results of a flow, and everything else it writes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

RESULT_PARTS = ("Category", "Value", "Text", "Name", "Time", "Run ID")
ANSWER_PARTS = ("Text", "Value", "Category")
# The parts that other sources than RapidPro write: forms, groups, posts and spreadsheets know no categories.
WRITTEN_PARTS = ("Text", "Value", "Time", "Run ID")
# Keys of every run besides its results; those of the first kind end in " - <flow>".
RUN_KEYS = ("run_id", "run_created_on", "run_modified_on", "run_exited_on", "run_exit_type")
CONTACT_KEYS = ("avf_phone_id", "urn_type", "operator_raw", "operator_coded", "test_run")
# Keys of recovered messages: of their text, time and run id. A source may have its own keys.
RecoveredKeyNames = tuple[str, str, str]
DEFAULT_RECOVERED_KEYS: RecoveredKeyNames = ("message", "received_on", "run_id")
RECOVERED_PARTS = ("Text", "Time", "Run ID")
_RESULT_KEY = re.compile(rf"(?P<category>.+) \((?P<part>{'|'.join(RESULT_PARTS)})\) - (?P<flow>.+)", re.DOTALL)
# For an unknown part; tried last, as flows can have brackets in their names.
_LIKE_A_RESULT_KEY = re.compile(r"(?P<category>.+?) \((?P<part>[^()]+)\) - (?P<flow>.+)", re.DOTALL)


@dataclass(frozen=True)
class ResultKey:
    """A key like "Age (Time) - demographics": the result, its part, and the flow."""

    category: str
    part: str
    flow: str


def read_result_key(raw_key: str) -> ResultKey | None:
    """Take the key of a result apart; None for any other key. The part may be unknown.

    >>> read_result_key("Age (Time) - demographics")
    ResultKey(category='Age', part='Time', flow='demographics')
    """
    match = _RESULT_KEY.fullmatch(raw_key) or _LIKE_A_RESULT_KEY.fullmatch(raw_key)
    return None if match is None else ResultKey(match["category"], match["part"], match["flow"])


def flow_of_key(raw_key: str) -> str | None:
    """Find the flow of a raw key; None for a key that runs of any flow have.

    >>> flow_of_key("Age (Time) - demographics"), flow_of_key("run_id - show"), flow_of_key("urn_type")
    ('demographics', 'show', None)
    """
    result = read_result_key(raw_key)
    if result is not None:
        return result.flow
    start, dash, flow = raw_key.partition(" - ")
    return flow if dash and start in RUN_KEYS else None


def find_recovered_key(raw_key: str, recovered: Sequence[RecoveredKeyNames]) -> tuple[RecoveredKeyNames, str] | None:
    """Find the set of keys of a recovered message's key, and its part; None for any other key.

    >>> find_recovered_key("received_on", [DEFAULT_RECOVERED_KEYS])
    (('message', 'received_on', 'run_id'), 'Time')
    """
    for names in recovered:
        if raw_key in names:
            return names, RECOVERED_PARTS[names.index(raw_key)]
    return None


def category_of(result: str) -> str:
    """Make the fetch's name for a RapidPro result.

    >>> category_of("rqa_s01e01_raw")
    'Rqa_S01E01_Raw'
    """
    return result.title()
