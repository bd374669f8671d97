"""Archives of runs and messages: daily gzipped JSON Lines, merged monthly, like RapidPro's archiver."""

import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from engagement.sandbox.rows import ApiRow

FIRST_MONTH = date(2026, 6, 1)


@dataclass(frozen=True)
class InventedArchive:
    """One archive file; `row` lacks the download_url, which depends on the requested host."""

    name: str
    row: ApiRow
    content: bytes


def make_archives(kind: str, rows: Sequence[tuple[datetime, ApiRow]], until: datetime) -> tuple[InventedArchive, ...]:
    """Archive rows from before `until` (a midnight), newest archive first.

    Each complete month is one file; the month of `until` has one file a day. Periods without rows have an empty
    archive.
    """
    archives = []
    start = FIRST_MONTH
    while start < until.date():
        month_ends = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        period, end = ("monthly", month_ends) if month_ends <= until.date() else ("daily", start + timedelta(days=1))
        archives.append(_make_archive(kind, period, start, [row for time, row in rows if start <= time.date() < end]))
        start = end
    return tuple(reversed(archives))


def _make_archive(kind: str, period: str, start: date, rows: Sequence[ApiRow]) -> InventedArchive:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    content = gzip.compress(lines.encode(), mtime=0)
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    day = f"D{start:%Y%m%d}" if period == "daily" else f"M{start:%Y%m}"
    row = {
        "archive_type": kind,
        "start_date": start.isoformat(),
        "period": period,
        "record_count": len(rows),
        "size": len(content),
        "hash": digest,
    }
    return InventedArchive(f"{kind}_{day}_{digest}.jsonl.gz", row, content)
