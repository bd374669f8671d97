"""Fetch spreadsheets: each row is a submission.

A row is known by who, when and what, and by its number among those that are the same. So it stays the same when a file is saved
again, sorted or appended to, and when two files have it; and two rows of one file that are the same are two submissions. Rows of one
person with the same time keep the order of the file: see `same_times`.
"""

import hashlib
import itertools
import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from json.encoder import encode_basestring_ascii as _encode
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engagement.foundation.errors import count_of
from engagement.foundation.microseconds import make_instant
from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow
from engagement.sources.spreadsheet.contents import FileContents
from engagement.sources.spreadsheet.files import TableFiles
from engagement.sources.spreadsheet.model import SpreadsheetQuestion, SpreadsheetSource, SpreadsheetTable
from engagement.sources.spreadsheet.packed_rows import PackedRows
from engagement.sources.spreadsheet.repeated_rows import RepeatedRows
from engagement.sources.spreadsheet.rows import SpreadsheetReader, SpreadsheetRow, text_columns
from engagement.sources.spreadsheet.same_times import SameTimes
from engagement.sources.submissions.flows import hand_over, open_form, refuse_emptied
from engagement.sources.submissions.respondents import Participants
from engagement.sources.submissions.store import SubmissionStore
from engagement.sources.submissions.submission import Answer, Respondent, Submission, UnreadableSubmission
from engagement.sources.tables.times import TimeFormat

_BATCHES_A_PAGE = 8
_CONTENT = "content of the files"
# Whoever changes how rows are read makes all files be read again.
_VERSION = 3

_logger = logging.getLogger(__name__)


def fetch_flows(source: SpreadsheetSource, context: FetchContext) -> list[FetchedFlow]:
    """Read the files that changed.

    Raises
    ------
    InputError
        A file is not such a table; the error names its rows.
    """
    participants = Participants(context.uuid_table)
    files = TableFiles(source, context.storage, context.policy)
    stores = []
    for table in source.forms:
        urls = files.find(table.urls)
        if table.phone_number_column is not None:
            files.refuse_numbers_in_data_root(urls, context.data_root)
        store = open_form(source, table, context)
        stores.append(store)
        _TableFetch(source, table, files, store, participants, context).fetch(urls)
    return hand_over(source, stores, context)


class _TableFetch:
    """One fetch of a table's files."""

    def __init__(
        self,
        source: SpreadsheetSource,
        table: SpreadsheetTable,
        files: TableFiles,
        store: SubmissionStore,
        participants: Participants,
        context: FetchContext,
    ):
        configuration = context.project.configuration
        self._table = table
        self._files = files
        self._survey_questions = source.survey_questions
        self._store = store
        self._participants = participants
        self._context = context
        self._columns = text_columns(table, source.survey_questions)
        self._reader = SpreadsheetReader(
            table,
            self._columns,
            source.country,
            configuration.time_zone if table.time_zone is None else ZoneInfo(table.time_zone),
            configuration.participant_prefix,
            datetime.fromisoformat(context.timestamp),
            configuration.project_start_date,
        )

    def fetch(self, urls: Sequence[str]) -> None:
        """Take the rows of all files, if one of them changed."""
        contents = FileContents(self._files)
        digest = self._digest(urls, contents.digest)
        if self._store.note(_CONTENT) == digest:
            _logger.info("Flow %r: %s as before", self._table.flow_name, count_of(len(urls), "file"))
            return
        held = self._store.count()
        listed = RepeatedRows()
        changed = PackedRows(_ChangedRow)
        new, unreadable = self._read(urls, contents, listed, changed)
        refuse_emptied(f"flow {self._table.flow_name!r}", held, len(listed), self._context)
        self._store.drop([one.key for one in self._store.set_aside()])
        for pages in itertools.batched(changed.take(), _BATCHES_A_PAGE):
            self._store.put([(self._make_submission(row), row.uid) for page in pages for row in page])
        gone = [key for key in self._store.all_keys() if key not in listed]
        self._store.drop(gone)
        self._store.put([], unreadable, {_CONTENT: digest})
        _logger.info(
            "Flow %r: %s in %s: %d new, %d gone",
            self._table.flow_name,
            count_of(len(listed), "row"),
            count_of(len(urls), "file"),
            new,
            len(gone),
        )

    def _read(
        self, urls: Sequence[str], contents: FileContents, listed: RepeatedRows, changed: "PackedRows[_ChangedRow]"
    ) -> tuple[int, list[UnreadableSubmission]]:
        """List the rows of all files, and add new ones; return their number, and those that can't be read."""
        same_times = SameTimes()
        new = 0
        unreadable: list[UnreadableSubmission] = []
        for url in urls:
            name = url.rpartition("/")[2]
            rows = self._reader.read(contents.take(url), url)
            unreadable += [
                UnreadableSubmission(f"{url} {row.number}", f"{name}, row {row.number}", row.reason)
                for row in rows.broken
            ]
            for page in rows.good.take():
                new += self._add_changed(page, rows.form, listed, same_times, changed)
            listed.end_file()
        return new, unreadable

    def _add_changed(
        self,
        rows: Sequence[SpreadsheetRow],
        form: TimeFormat,
        listed: RepeatedRows,
        same_times: SameTimes,
        changed: "PackedRows[_ChangedRow]",
    ) -> int:
        """Give each row its key and its uid, and add those not held like this; return how many are new."""
        uuids = self._participants.uuids(row.respondent for row in rows if row.uid is None)
        found: list[_ChangedRow] = []
        for row in rows:
            uid = uuids[row.respondent] if row.uid is None else row.uid
            time = row.times if isinstance(row.times, int) else row.times[form]
            key = listed.add(_digest_row(uid, time, row.texts))
            if key is not None:
                earlier = same_times.count_earlier(uid, time)
                found.append(_ChangedRow(key, uid, row.respondent, time, earlier, row.texts))
        held = self._store.held_versions([row.key for row in found])
        for one in found:
            if held.get(one.key) != one.version:
                changed.add(one)
        return sum(one.key not in held for one in found)

    def _make_submission(self, row: "_ChangedRow") -> Submission:
        texts = dict(zip(self._columns, row.texts, strict=True))
        time = make_instant(row.time + row.earlier)

        def answers(questions: Sequence[SpreadsheetQuestion]) -> tuple[Answer, ...]:
            return tuple([Answer(one.field, texts[one.column], time) for one in questions if texts[one.column]])

        episode, survey = answers(self._table.episode_questions), answers(self._survey_questions)
        return Submission(self._table.flow_name, row.key, row.version, time, row.respondent, episode, survey)

    def _digest(self, urls: Sequence[str], digest_of: Callable[[str], bytes]) -> str:
        """Digest the names and the contents of the files, and how they are read."""
        zone = self._reader.zone.key
        digest = hashlib.sha256(json.dumps([_VERSION, list(urls), zone, self._reader.prefix]).encode())
        for url in urls:
            digest.update(digest_of(url))
        return digest.hexdigest()


class _ChangedRow(NamedTuple):
    """A row that is not held like this yet.

    `time` is in microseconds; `earlier` counts the rows before this one with the same time.
    """

    key: str
    uid: str
    respondent: Respondent
    time: int
    earlier: int
    texts: tuple[str, ...]

    @property
    def version(self) -> str:
        """Another one if the row has another place among those with its time."""
        return str(1 + self.earlier)


def _digest_row(uid: str, time: int, texts: Sequence[str]) -> str:
    """Digest a row's JSON, which json.dumps would take four times as long for."""
    encoded = f"[{_encode(uid)}, {time}, [{', '.join(map(_encode, texts))}]]"
    return hashlib.sha256(encoded.encode()).hexdigest()[:32]
