"""Times in tables: one format for a file."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from engagement.sources.tables.file_times import FileTimes
from engagement.sources.tables.times import read_times

ZONE = ZoneInfo("Africa/Nairobi")
NOW = datetime(2026, 12, 1, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)


def gather(*texts):
    times = FileTimes(NOW, START)
    for number, text in enumerate(texts, 2):
        times.add(f"row {number}", read_times(text, ZONE))
    return times


def doubts(form, *texts):
    return list(gather(*texts).find_doubts(form))


@pytest.mark.parametrize(
    ("text", "form", "read"),
    [
        ("26/08/2026 17:05", "dd/mm/YYYY", "2026-08-26T17:05:00+03:00"),
        ("26-08-2026 17:05:31.5", "dd/mm/YYYY", "2026-08-26T17:05:31.500000+03:00"),
        ("8/26/26 5:05 PM", "mm/dd/YY", "2026-08-26T17:05:00+03:00"),
        ("26.08.26 12:05am", "dd/mm/YY", "2026-08-26T00:05:00+03:00"),
        ("2026-08-26T17:05", "YYYY-mm-dd", "2026-08-26T17:05:00+03:00"),
        ("2026/08/26 24:00", "YYYY-mm-dd", "2026-08-27T00:00:00+03:00"),
        ("2026-08-26T14:05:00Z", "mm/dd/YY", "2026-08-26T17:05:00+03:00"),
    ],
)
def test_a_time_is_read_in_its_format(text, form, read):
    assert read_times(text, ZONE)[form].isoformat() == read


@pytest.mark.parametrize("text", ["26/08-2026 17:05", "26/08/2026", "31/02/2026 10:00", "26/08/2026 13:00 PM", "1/1/0001 0:00", ""])  # fmt: skip
def test_what_is_no_time_fits_no_format(text):
    assert read_times(text, ZONE) == {}


@pytest.mark.parametrize(
    ("texts", "form", "problem"),
    [
        (["1/3/2026 10:00", "31/3/2026 10:00"], "dd/mm/YYYY", None),
        (["3/1/2026 10:00", "3/31/2026 10:00"], "mm/dd/YYYY", None),
        (["1/3/2026 10:00", "2026-03-01T10:00:00+03:00", "31/3/2026 10:00"], "dd/mm/YYYY", None),
        # The day and the month are the same: both readings are.
        (["3/3/2026 10:00"], "dd/mm/YYYY", None),
        (["3/2/26 9:01"], "dd/mm/YY", "row 2: 2026-02-03 09:01 if it is dd/mm/YY, 2026-03-02 09:01 if it is mm/dd/YY, and all rows fit both"),
        # None fits all: the one that fits most, whose other rows are named.
        (["1/3/2026 10:00", "31/3/2026 10:00", "30/3/2026 10:00", "3/31/2026 10:00"], "dd/mm/YYYY", None),
    ],
)  # fmt: skip
def test_a_format_is_chosen_if_it_alone_fits_all_rows(texts, form, problem):
    chosen, found = gather(*texts).choose_format()
    assert chosen == form
    assert (found or "").startswith(problem or "") and (found is None) == (problem is None)


def test_times_in_the_future_and_before_the_project_are_named():
    assert doubts("dd/mm/YYYY", "26/12/2026 10:00", "26/08/2025 10:00", "26/08/2026 10:00") == [
        "1 time in the future (row 2)",
        "1 time before ProjectStartDate (row 3)",
    ]


def test_rows_in_a_second_order_of_the_date_are_named():
    sure = ("14/08/2026 10:00", "30/08/2026 10:00")
    # The last one is early in September, which follows.
    assert doubts("dd/mm/YYYY", *sure, "08/10/2026 10:00", "08/11/2026 10:00", "08/09/2026 10:00") == [
        "2 times far from the others, which mm/dd/YYYY would put among them (row 4; row 5): two orders of the date may be mixed",
    ]


def test_a_week_that_the_other_order_makes_of_a_year_is_named():
    days = [f"03/{day:02}/2026 10:00" for day in range(1, 10)]
    assert doubts("dd/mm/YYYY", *days) == [
        "all times fit mm/dd/YYYY as well, and are 9 days then instead of 244: the order of the date may be the other one"
    ]
    assert doubts("mm/dd/YYYY", *days) == []


def test_a_usual_file_raises_no_doubt():
    assert doubts("dd/mm/YYYY", *[f"{day:02}/08/2026 10:00" for day in range(1, 29)]) == []
    assert doubts("dd/mm/YYYY", "01/08/2026 10:00", "02/08/2026 10:00") == []
