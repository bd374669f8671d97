"""Exports of a year, with losses here and there: the comparison takes as long as there are messages, and no longer."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta

from engagement.desk.recovery.comparison import ExportComparison, find_outages, write_table
from engagement.desk.recovery.exports import ExportRow
from engagement.desk.recovery.joining import join_exports

START = datetime(2026, 3, 2, 5, tzinfo=UTC)


def compared(count: int) -> ExportComparison:
    rows = [ExportRow("somebody", "biyo", START + timedelta(seconds=n), "378") for n in range(count)]
    return ExportComparison(rows, ["somebody"] * count, ["matched" if n % 4 == 0 else "missing" for n in range(count)])


def measure(count: int) -> float:
    found = compared(count)
    started = time.process_time()
    assert not [*find_outages(found)]
    return time.process_time() - started


def test_outages_of_eight_times_as_many_messages_take_some_eight_times_as_long():
    # With a sum over all messages for each loss it was 64 times.
    assert measure(40_000) < 24 * max(measure(5_000), 0.002)


def test_each_day_has_the_sum_of_its_hours():
    hours = {START + timedelta(hours=n): Counter(received=n + 1) for n in range(24)}
    lines = [line.split() for line in write_table(hours)]
    assert [line[:2] for line in lines if line[0].startswith("2026")] == [
        ["2026-03-02", str(sum(range(1, 20)))],
        ["2026-03-03", str(sum(range(20, 25)))],
    ]


def test_rows_that_are_the_same_are_counted_wherever_they_stand():
    rows = [ExportRow(who, text, START, "378") for who, text in (("a", "1"), ("b", "1"), ("a", "2"), ("a", "1"))]
    later = [ExportRow("a", "1", START + timedelta(seconds=1), "378")] * 3
    assert join_exports([[*later, *rows]], False).repeated == 3
