"""Configuration of spreadsheets: files that hold one table each, and what their columns mean."""

from collections.abc import Iterator, Sequence
from typing import Literal, Self

from engagement.configuration.drive_links import drive_id_of
from engagement.configuration.model import key
from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource
from engagement.configuration.value_types import StorageUrl, TableUrl, Text, TimeZone
from engagement.sources.submissions.model import Question, SubmissionsForm, SubmissionsSource
from engagement.sources.tables.encodings import Encoding
from engagement.sources.tables.times import TimeFormat

_MOST_TIME_COLUMNS = 2


class SpreadsheetQuestion(Question):
    """A column whose texts are answers."""

    column: Text = key("Column", "name of the column with the answers, as in the header", "What did you think?")


class SpreadsheetTable(SubmissionsForm):
    """Files with the same columns. A row that several of them have counts once."""

    urls: tuple[TableUrl, ...] = key(
        "URLs",
        "gs:// or file:// addresses of .csv, .tsv and .xlsx files, or of folders of them, in a bucket with / at the end; and links to "
        "files, Google Sheets and folders in Drive",
        [
            "file:///srv/uploads/groups/",
            "gs://uploads/groups_s05.xlsx",
            "https://drive.google.com/drive/folders/1InventedFolder",
        ],
    )
    phone_number_column: Text | None = key(
        "PhoneNumberColumn",
        "column with the respondent's phone number; it is exchanged for a uid in memory",
        "Mobile",
        None,
    )
    participant_column: Text | None = key(
        "ParticipantColumn", "column with the respondent's uid, instead of PhoneNumberColumn", "uid", None
    )
    time_columns: tuple[Text, ...] = key(
        "TimeColumns", "column with the time, or one with the date and one with the time of the day", ["Received On"]
    )
    time_format: Literal["auto"] | TimeFormat = key(
        "TimeFormat",
        "how the files write dates; 'auto' takes the one format that all rows of a file fit, and refuses a file that fits two. "
        "Cells of a workbook that are dates need no format",
        "dd/mm/YYYY",
        "auto",
    )
    time_zone: TimeZone | None = key(
        "TimeZone", "time zone of the times; without it the project's", "Africa/Nairobi", None
    )
    encoding: Encoding | None = key(
        "Encoding", "encoding of CSV and TSV files that are neither UTF-8 nor UTF-16 with its mark", "cp1252", None
    )
    sheet: Text | None = key("Sheet", "sheet of the .xlsx files; without it their only one", "Responses", None)
    episode_questions: tuple[SpreadsheetQuestion, ...] = key(
        "EpisodeQuestions",
        "columns with answers to the episode",
        [{"Field": "S05", "Column": "What did you think?"}],
        (),
    )


class SpreadsheetSource(SubmissionsSource):
    """Tables that people fill in or export."""

    flow_keys = ("Tables", "SurveyFlowName")
    read_by_fetch_alone = frozenset({"drive_credentials_file_url"})

    source_type: Literal["Spreadsheet"] = key("SourceType", "'Spreadsheet'", "Spreadsheet")
    drive_credentials_file_url: StorageUrl | None = key(
        "DriveCredentialsFileURL",
        "gs:// or file:// address of the key of a service account that the files and folders in Drive are shared with",
        "gs://keys/drive.json",
        None,
    )
    forms: tuple[SpreadsheetTable, ...] = key("Tables", "tables; each is a flow", [])
    survey_questions: tuple[SpreadsheetQuestion, ...] = key(
        "SurveyQuestions",
        "columns with answers about the participant, of all the tables",
        [{"Field": "Age", "Column": "Age"}],
        (),
    )

    @property
    def urls(self) -> tuple[str, ...]:
        """Addresses of all files and folders."""
        return tuple(url for table in self.forms for url in table.urls)

    @classmethod
    def find_problems(cls, sources: Sequence[PlacedSource[Self]]) -> Iterator[Problem]:
        """Find tables without a respondent, a time or a file, and links to Drive without a key."""
        yield from super().find_problems(sources)
        for at, source in sources:
            if source.drive_credentials_file_url is None and any(map(drive_id_of, source.urls)):
                yield Problem(
                    f"{at}.DriveCredentialsFileURL",
                    "is missing, though a table lies in Drive; expected the key of a service account that it is shared with. Add it.",
                )
            for number, table in enumerate(source.forms):
                yield from _find_table_problems(f"{at}.Tables[{number}]", table)


def _find_table_problems(at: str, table: SpreadsheetTable) -> Iterator[Problem]:
    if (table.phone_number_column is None) == (table.participant_column is None):
        found = "neither" if table.participant_column is None else "both"
        yield Problem(
            at,
            f"{found} of PhoneNumberColumn and ParticipantColumn; expected one of them. Name the respondent's column.",
        )
    if not 1 <= len(table.time_columns) <= _MOST_TIME_COLUMNS:
        yield Problem(
            f"{at}.TimeColumns", f"{len(table.time_columns)} columns; expected one, or a date and a time. Change it."
        )
    if not table.urls:
        yield Problem(f"{at}.URLs", "is empty; expected at least one file. Add it.")
    for number, url in enumerate(table.urls):
        place = f"{at}.URLs[{number}]"
        # Drive has several links to one file.
        if (drive_id_of(url) or url) in [drive_id_of(other) or other for other in table.urls[:number]]:
            yield Problem(place, "stands there twice; expected each file once. Remove one.")
