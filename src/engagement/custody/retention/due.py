"""When something is over age next, by kind.

That is the first day on which the oldest of what may go has been kept too long.
"""

from datetime import datetime
from pathlib import Path

from engagement.configuration.periods import CalendarPeriod
from engagement.configuration.retention import Retention
from engagement.custody.retention.last_run import read_last_retention
from engagement.custody.retention.overdue import ARCHIVE, LOG, MANIFEST, PROFILE, RECORD, Overdue
from engagement.custody.retention.raw_texts import MESSAGE, AgedMessages


def find_due(
    data_root: Path, retention: Retention, overdue: Overdue, aged: AgedMessages | None, now: datetime
) -> dict[str, str]:
    """Find the days by the project's time zone, which `now` is in.

    Messages' is as the last run said, where the cut did not move since.
    """
    times: dict[str, datetime] = dict(overdue.oldest)
    earlier = read_last_retention(data_root)
    due: dict[str, str] = {}
    if aged is not None and aged.next is not None:
        times[MESSAGE] = aged.next
    elif aged is None and retention.raw_texts is not None and earlier is not None and MESSAGE in earlier.due:
        due[MESSAGE] = earlier.due[MESSAGE]
    if retention.uuid_table is not None:
        # Imported only where it is asked for, with numpy.
        from engagement.custody.retention.silent_people import PARTICIPANT, read_silent_people

        before = retention.uuid_table.before(now)
        people = read_silent_people(data_root)
        coming = [time for uid, time in people.since.items() if uid not in people.stays and time >= before]
        if coming:
            due[PARTICIPANT] = _say_day(retention.uuid_table, min(coming), now)
    periods = {
        **{ARCHIVE: retention.archives, LOG: retention.logs, PROFILE: retention.logs},
        **{RECORD: retention.runs, MANIFEST: retention.runs, MESSAGE: retention.raw_texts},
    }
    return due | {kind: _say_day(period, time, now) for kind, time in times.items() if (period := periods[kind])}


def _say_day(period: CalendarPeriod, time: datetime, now: datetime) -> str:
    return f"{period.ends(time.astimezone(now.tzinfo)):%Y-%m-%d}"
