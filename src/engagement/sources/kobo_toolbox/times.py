"""Choose a submission's time: when its form was filled in, unless the device's clock was wrong."""

import enum
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple


class MessageTime(enum.StrEnum):
    """What counts as the time of a submission's answers."""

    END = "end"
    START = "start"
    SUBMISSION = "_submission_time"


class TimeFault(enum.Enum):
    """Why a submission has the time at which the server received it."""

    ABSENT = "without a time of the device"
    WRONG_CLOCK = "filled in by a device with a wrong clock"


class ChosenTime(NamedTuple):
    """A submission's time, and why it is not the configured one."""

    time: datetime
    fault: TimeFault | None = None


# Before KoboToolbox: devices that lost their clock say 1970, 1980 or 2010.
_FIRST = datetime(2012, 1, 1, tzinfo=UTC)
# The server's time is in whole seconds, and clocks differ a little.
_SMALL_DIFFERENCE = timedelta(minutes=2)


def choose_time(values: Mapping[str, Any], wanted: MessageTime) -> ChosenTime:
    """Choose a submission's time, never later than the server received it.

    Raises
    ------
    ValueError
        The server's own time is missing or no time.
    """
    received = read_server_time(values.get("_submission_time"))
    if wanted is MessageTime.SUBMISSION:
        return ChosenTime(received)
    told = values.get(wanted)
    if told is None:
        # A form has either, both or none.
        told = values.get(MessageTime.START if wanted is MessageTime.END else MessageTime.END)
    if told is None:
        return ChosenTime(received, TimeFault.ABSENT)
    time = _read_device_time(told)
    if time is None or not _FIRST <= time <= received + _SMALL_DIFFERENCE:
        return ChosenTime(received, TimeFault.WRONG_CLOCK)
    return ChosenTime(min(time, received))


def read_server_time(told: object) -> datetime:
    """Read a time in UTC, which the server writes without an offset.

    >>> read_server_time("2026-03-02T07:05:05").isoformat()
    '2026-03-02T07:05:05+00:00'

    Raises
    ------
    ValueError
        It is no time.
    """
    if not isinstance(told, str):
        raise ValueError("no time")
    time = datetime.fromisoformat(told.strip())
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("no time of the calendar") from None


def _read_device_time(told: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(told.strip()) if isinstance(told, str) else None
        # Without an offset it could be the time of any place.
        return None if time is None or time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
