"""Measure the fetch of spreadsheets: python tests/benchmarks/fetch/measure_spreadsheet.py [ROWS] (PYTHONPATH=src:tests).

Reads a file of invented answers, as CSV and as a workbook, each run in a process of its own on one core: into a new data root, again
when nothing is new, and with 1 % of the rows appended. Prints seconds, rows a second, CPU seconds and peak memory.
"""

import argparse
import csv
import datetime
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fetch_project import FetchProject
from measured_fetch import measure_fetch

HEADER = ["Mobile No", "Received On", "What?", "How?", "Age", "Gender"]
_START = datetime.datetime(2026, 3, 1, 6, 0)  # noqa: DTZ001 - cells have no zone


def make_rows(count: int) -> Iterator[tuple[str, datetime.datetime, str, str, str, str]]:
    """Invent rows: 80,000 people, who answer again; one number in three is in national form."""
    for number in range(count):
        person = f"{12_000_000 + number % 80_000:08}"
        mobile = f"07{person}" if number % 3 == 0 else f"+2547{person}"
        text = f"jawaab {number} ee su'aasha, waan idin salaamayaa dhammaantiin"
        at = _START + datetime.timedelta(seconds=97 * number)
        yield mobile, at, text, "haa" if number % 2 else "maya", str(16 + number % 60), "naag" if number % 2 else "nin"


def write_csv(path: Path, count: int) -> None:
    """Write the rows as people export them."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows([mobile, f"{at:%d/%m/%Y %H:%M:%S}", *rest] for mobile, at, *rest in make_rows(count))


def write_workbook(path: Path, count: int) -> None:
    """Write the rows as a workbook, whose cells hold dates."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Responses")
    sheet.append(HEADER)
    for row in make_rows(count):
        sheet.append(row)
    book.save(path)


def prepare(folder: Path, file: Path) -> list[str]:
    """Write a project; returns the stage's arguments."""
    folder.mkdir()
    project = FetchProject(folder, "unused.invalid")
    project.sources[:] = [
        {
            "SourceType": "Spreadsheet",
            "Country": "KE",
            "SurveyFlowName": "bench_survey",
            "SurveyQuestions": [{"Field": "Age", "Column": "Age"}, {"Field": "Gender", "Column": "Gender"}],
            "Tables": [
                {
                    "FlowName": "bench_s05",
                    "URLs": [file.as_uri()],
                    "PhoneNumberColumn": "Mobile No",
                    "TimeColumns": ["Received On"],
                    "TimeFormat": "dd/mm/YYYY",
                    "EpisodeQuestions": [{"Field": "S05", "Column": "What?"}, {"Field": "Heard", "Column": "How?"}],
                }
            ],
        }
    ]
    return project.arguments()


def run_alone(function: object, *arguments: object) -> None:
    """Run a function in a process of its own: what it leaves in memory counts for no other."""
    process = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(process.exitcode)


def main() -> None:
    """Measure a first fetch, one with nothing new, and one with 1 % appended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="?", type=int, default=100_000)
    rows = parser.parse_args().rows
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as name:
        for kind, write in (("csv", write_csv), ("xlsx", write_workbook)):
            file = Path(name) / f"responses.{kind}"
            run_alone(write, file, rows)
            arguments = prepare(Path(name) / kind, file)
            run_alone(measure_fetch, f"{kind}, first fetch", rows, arguments, "rows")
            run_alone(measure_fetch, f"{kind}, nothing new", rows, arguments, "rows")
            run_alone(write, file, rows + rows // 100)
            run_alone(measure_fetch, f"{kind}, 1 % appended", rows, arguments, "rows")


if __name__ == "__main__":
    main()
