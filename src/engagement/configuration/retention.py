"""Retention: how long archives, logs, records, messages and rows of the uuid table are kept."""

from collections.abc import Iterator

from engagement.configuration.backup import Backup, KeptArchives
from engagement.configuration.model import Model, key
from engagement.configuration.periods import CalendarPeriod, Period
from engagement.configuration.problems import Problem

# Long enough to notice a failure, and to look at what led to it.
_SHORTEST = CalendarPeriod(0, 7, "P7D")
_PLACE = "$.Retention"


class Retention(Model):
    """How long things are kept; the end of a run removes what is older.

    Each is a period like 'P90D'; without it, nothing of its kind is removed.
    """

    archives: Period | None = key(
        "Archives",
        "archives of the data root on this machine, by the time in their names; the newest always stays",
        "P1Y",
        None,
    )
    logs: Period | None = key(
        "Logs", "logs and memory profiles of this data root's runs, by the time in their names", "P180D", None
    )
    runs: Period | None = key(
        "Runs", "records and manifests of runs, and the configurations that no other manifest names", "P2Y", None
    )
    raw_texts: Period | None = key(
        "RawTexts",
        "runs and messages of participants with all their texts, by the time at which they were sent; STOP always stays",
        "P3Y",
        None,
    )

    uuid_table: Period | None = key(
        "UuidTable",
        "rows of the uuid table, by the last message of whose they are; of a table that no other project uses; STOP always stays",
        "P3Y",
        None,
    )
    uuid_table_is_unshared: bool = key(
        "UuidTableIsUnshared",
        "whether no other project uses the uuid table; without it, a table with many ids of others is refused",
        True,
        False,
    )

    @property
    def periods(self) -> dict[str, CalendarPeriod]:
        """The periods that are there, by their keys."""
        files = (("Archives", self.archives), ("Logs", self.logs), ("Runs", self.runs))
        named = (*files, ("RawTexts", self.raw_texts), ("UuidTable", self.uuid_table))
        return {name: period for name, period in named if period is not None}


def find_retention_problems(retention: Retention | None, backup: Backup | None) -> Iterator[Problem]:
    """Find periods that are too short, for themselves or for what else the configuration wants to keep."""
    if retention is None:
        return
    if not retention.periods:
        yield Problem(
            _PLACE,
            "says nothing; expected 'Archives', 'Logs', 'Runs', 'RawTexts' or 'UuidTable'. Add one, or remove 'Retention'.",
        )
    for name, period in retention.periods.items():
        if period.is_shorter_than(_SHORTEST):
            yield Problem(
                f"{_PLACE}.{name}",
                f"{period.text!r} is too short to look into what failed; expected {_SHORTEST.text!r} or longer. Change it.",
            )
    if retention.uuid_table is not None:
        yield from _find_texts_kept_longer(retention.uuid_table, retention.raw_texts)
    if retention.archives is not None and backup is not None and backup.keep is not None:
        yield from _find_kept_longer(retention.archives, backup.keep)
    if retention.logs is not None and retention.runs is not None and retention.runs.is_shorter_than(retention.logs):
        yield Problem(
            f"{_PLACE}.Runs",
            f"{retention.runs.text!r} is shorter than the {retention.logs.text!r} of Logs, and without a run's record nobody knows "
            "whose its log is; expected the same or longer. Change one.",
        )


def _find_texts_kept_longer(uuid_table: CalendarPeriod, raw_texts: CalendarPeriod | None) -> Iterator[Problem]:
    """Find rows that would leave the uuid table before the messages of whose they are."""
    if raw_texts is None:
        yield Problem(
            f"{_PLACE}.UuidTable",
            f"nothing removes messages, and whoever has one stays in the uuid table; expected 'RawTexts' too. Add one, like {uuid_table.text!r}.",
        )
    elif uuid_table.is_shorter_than(raw_texts):
        yield Problem(
            f"{_PLACE}.UuidTable",
            f"{uuid_table.text!r} is shorter than the {raw_texts.text!r} of RawTexts, and whoever has a message stays in the uuid table; "
            "expected the same or longer. Change one.",
        )


def _find_kept_longer(archives: CalendarPeriod, keep: KeptArchives) -> Iterator[Problem]:
    """Find what Backup.Keep wants to keep for longer."""
    wanted = (
        ("Daily", "day", keep.daily, CalendarPeriod(0, keep.daily or 0, f"P{keep.daily}D")),
        ("Weekly", "week", keep.weekly, CalendarPeriod(0, 7 * (keep.weekly or 0), f"P{7 * (keep.weekly or 0)}D")),
        ("Monthly", "month", keep.monthly, CalendarPeriod(keep.monthly or 0, 0, f"P{keep.monthly}M")),
    )
    for name, noun, count, period in wanted:
        if count is not None and archives.is_shorter_than(period):
            yield Problem(
                f"{_PLACE}.Archives",
                f"{archives.text!r} is shorter than the {count} {noun}{'' if count == 1 else 's'} of $.Backup.Keep.{name}; expected "
                f"{period.text!r} or longer. Change one.",
            )
