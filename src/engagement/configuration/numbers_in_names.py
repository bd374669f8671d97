"""Find phone numbers in a configuration's names: flows, files, fields, tables, folders.

Such names become names of files and objects, columns and lines of the log, where no phone number may be. For people's texts,
`pipeline.coding.cleaning.phone_numbers` knows countries and their numbers; names are less free, so their form decides.
"""

import re
from collections.abc import Iterator
from typing import Any

from engagement.configuration.drive_links import drive_id_of
from engagement.configuration.flow_choices import flow_name_of_url
from engagement.configuration.problems import Problem

_FEWEST_DIGITS, _FEWEST_GROUPED, _MOST_GROUPED = 7, 9, 15
_CANDIDATE = re.compile(rf"[+\uff0b]?[ (]{{0,2}}\d(?:[ \-._()]{{0,2}}\d){{{_FEWEST_DIGITS - 1},}}")
_GROUP = re.compile(r"\d+")
_TRUNK_AND_COUNTRIES = ("0", "252", "254", "251")
_UUID = r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9A-Za-z])"
# What git calls a commit, in every run's id: four of ten have as many digits in a row as a number.
_COMMIT = r"(?<![0-9A-Za-z])(?=[0-9]*[a-f])[0-9a-f]{40}(?![0-9A-Za-z])"
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_TIME = r"(?:[T_ -]?(?:[01]\d|2[0-4])[-:_.]?[0-5]\d(?:[-:_.]?[0-5]\d)?)?"
# Dates in names of seasons, exports and recovered files: 2026-03-01, 20260301T101500, 01.03.2026, 2025_2026.
_NO_NUMBER = re.compile(
    rf"{_UUID}|{_COMMIT}|(?<![\d+])(?:{_YEAR}(?P<a>[-_. ]?){_MONTH}(?P=a){_DAY}{_TIME}|{_DAY}(?P<b>[-_. ]?){_MONTH}(?P=b){_YEAR}"
    rf"|{_YEAR}[-_ ]?{_YEAR})(?!\d)"
)
# Keys whose values have their own check or are not names: ids, times, and addresses that hold a project's number.
_OTHER_KEYS = re.compile(
    r"TestContactUUIDs|TestParticipantUUIDs|UUID|.*Date|Range(Start|End)\w+|TimeToAdjustTo|Domain|CodaUsers|.*FileURL|PingURL|WebhookURL|.*URLPrefix|.*Bucket"
    r"|PostIDs|Server|FormId|QuestionIds|Asset"
)
_KEYS_OF_FLOW_ADDRESSES = ("ActivationFlowURLs", "SurveyFlowURLs")


def holds_phone_number(name: str) -> bool:
    """Check if a name is or contains a phone number; dates, times, uuids and commits do not count.

    >>> holds_phone_number("+252 61 5000001"), holds_phone_number("lost_0615-000-001"), holds_phone_number("s01_2026-03-01_1015")
    (True, True, False)
    """
    return bool(find_numbers(name))


def find_numbers(name: str) -> list[str]:
    """Find what is a phone number in a name, or looks like one, as it stands there.

    >>> find_numbers("lost_0615-000-001 of 2026-03-01")
    ['0615-000-001']
    """
    if _CANDIDATE.search(name) is None:
        return []
    pieces = (found[0] for found in _CANDIDATE.finditer(_NO_NUMBER.sub("\0", name)))
    return [piece for piece in pieces if _is_number(piece)]


def _is_number(candidate: str) -> bool:
    if candidate[0] in "+\uff0b":
        return True
    groups = _GROUP.findall(candidate)
    longest = max(map(len, groups))
    digits = "".join(str(int(digit)) for group in groups for digit in group)
    begins_like_one = digits.startswith(_TRUNK_AND_COUNTRIES) and _FEWEST_GROUPED <= len(digits) <= _MOST_GROUPED
    # Parts and weeks are numbered with one or two digits.
    return longest >= _FEWEST_DIGITS or (begins_like_one and longest >= 3)


def find_numbers_in_names(content: Any) -> list[Problem]:
    """Find names in a configuration's document that hold a phone number, without showing them."""
    return [
        Problem(
            at,
            "what is there is not shown, as it holds a phone number or looks like one; expected a name without one, because names "
            "get into files and logs. Change it.",
        )
        for at in _find_places("$", "", content)
    ]


def _find_places(at: str, key: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if holds_phone_number(name):
                yield at
            elif _OTHER_KEYS.fullmatch(name) is None:
                yield from _find_places(f"{at}.{name}", name, inner)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _find_places(f"{at}[{position}]", key, inner)
    elif isinstance(value, str) and holds_phone_number(_name_in(key, value)):
        yield at


def _name_in(key: str, value: str) -> str:
    if drive_id_of(value) is not None:
        # Ids of files and of their sheets, which no name is made of.
        return ""
    return flow_name_of_url(value) if key in _KEYS_OF_FLOW_ADDRESSES else value
