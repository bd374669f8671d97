"""Projects' states as rows for people: the table on the screen, and the page's."""

from collections.abc import Sequence

from engagement.desk.statuses.projects import ProjectStatus

COLUMNS = (
    "Project", "Last run", "Age", "Status", "Disk used", "Disk free", "Messages", "Participants", "Labelled",
    "Archives missing", "Rows set aside", "Drive held back", "Restore proven",
)  # fmt: skip
_NOTHING = "-"
_LONGEST_NAME = 40


def describe(status: ProjectStatus) -> list[str]:
    """Put a project's state into the table's cells."""
    return [
        status.project,
        (status.ended or _NOTHING)[:16].replace("T", " "),
        say_age(status.age_hours),
        say_status(status),
        _say_size(status.disk_used),
        _say_size(status.disk_free),
        _say_count(status.messages, status.messages_change),
        _say_count(status.participants, status.participants_change),
        _say_progress(status.labelled_messages, status.coda_messages),
        _say_count(status.missing_archives),
        _say_count(status.set_aside_rows),
        _say_count(status.drive_held_back),
        say_age(status.restore_proven_age_hours),
    ]


def say_retention(status: ProjectStatus) -> str:
    """Say when retention last ran, what it removed, and what is due next; nothing if nobody knows."""
    if status.retention is None:
        return ""
    return f"Last retention: {say_age(status.retention_age_hours)} ago; {status.retention.say()}"


def align(rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows in aligned columns: texts to the left, numbers to the right.

    >>> print(align([("Project", "Age"), ("a", "2 h")]), end="")
    Project  Age
    a        2 h
    """
    rows = [(row[0] if len(row[0]) <= _LONGEST_NAME else f"{row[0][: _LONGEST_NAME - 1]}…", *row[1:]) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.ljust(width) if place in (0, 1, 3) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def say_status(status: ProjectStatus) -> str:
    """Say a run's status, with its number and stage if it failed."""
    if status.status == "failed":
        return f"failed {status.exit_status}: {status.failed_stage or 'before a stage'}"
    if status.status == "ok" and status.problem is not None:
        if status.problem.startswith("the restore drill"):
            return "restore failed"
        return "too old" if (status.age_hours or 0) >= 0 else "in the future"
    return status.status


def say_age(hours: float | None) -> str:
    """Say an age in hours, or days.

    >>> say_age(3.2), say_age(70), say_age(None)
    ('3 h', '2 d 22 h', '-')
    """
    if hours is None:
        return _NOTHING
    days, rest = divmod(round(hours), 24)
    return f"{days} d {rest} h" if days >= 2 else f"{round(hours)} h"


def _say_size(size: int | None) -> str:
    """Say a size in MB or GB.

    >>> _say_size(12_000_000), _say_size(1_234_000_000)
    ('12 MB', '1.2 GB')
    """
    if size is None:
        return _NOTHING
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _say_count(count: int | None, change: int | None = None) -> str:
    """Say a count, and its change.

    >>> _say_count(1200, 15), _say_count(7), _say_count(None)
    ('1,200 (+15)', '7', '-')
    """
    if count is None:
        return _NOTHING
    return f"{count:,}" if change is None else f"{count:,} ({change:+,})"


def _say_progress(labelled: int | None, messages: int | None) -> str:
    """Say how many of Coda's messages have labels.

    >>> _say_progress(50, 200), _say_progress(0, 0)
    ('25 % of 200', '-')
    """
    if labelled is None or not messages:
        return _NOTHING
    # Only what is done is called 100 %.
    return f"{labelled * 100 // messages} % of {messages:,}"
