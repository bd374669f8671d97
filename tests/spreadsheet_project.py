"""A small invented project that reads the spreadsheets of a folder."""

import datetime
import io
from pathlib import Path
from typing import Any

import openpyxl

from fetch_project import FetchProject

HEADER = "Mobile No,Received On,What?,Age\n"


def line(number: int, text: str = "haa", time: str = "20/03/2026 10:00", age: str = "25") -> str:
    return f"+25471200{number:04},{time},{text},{age}\n"


ROWS = [line(number) for number in range(20)]


class SpreadsheetProject(FetchProject):
    """A project with one table; its folder of uploads lies beside the data root."""

    def __init__(self, folder: Path):
        super().__init__(folder, "")
        self.uploads = folder / "uploads"
        self.uploads.mkdir()
        self.table: dict[str, Any] = {
            "FlowName": "groups_s05",
            "URLs": [f"file://{self.uploads}/"],
            "PhoneNumberColumn": "Mobile No",
            "TimeColumns": ["Received On"],
            "EpisodeQuestions": [{"Field": "S05", "Column": "What?"}],
        }
        self.source = {
            "SourceType": "Spreadsheet",
            "Country": "KE",
            "SurveyFlowName": "groups_survey",
            "Tables": [self.table],
            "SurveyQuestions": [{"Field": "Age", "Column": "Age"}],
        }
        self.sources = [self.source]

    def put(self, content: str | bytes, name: str = "groups.csv") -> None:
        (self.uploads / name).write_bytes(content.encode() if isinstance(content, str) else content)

    def texts(self) -> list[str]:
        return [record.values["S05 (Text) - groups_s05"] for record in self.read("groups_s05")]

    def times(self) -> list[str]:
        return [record.values["S05 (Time) - groups_s05"] for record in self.read("groups_s05")]


def workbook(*rows: list[Any], sheets: tuple[str, ...] = ("Sheet",)) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = sheets[0]
    for name in sheets[1:]:
        book.create_sheet(name)
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


XLSX_HEADER = ["Mobile No", "Received On", "What?", "Age"]
AT = datetime.datetime(2026, 3, 20, 10, 0)  # noqa: DTZ001 - cells have no zone
