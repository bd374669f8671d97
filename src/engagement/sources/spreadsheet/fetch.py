"""Fetch spreadsheets: each row is a submission.

A row is known by who, when and what, and by its number among those that are the same. So it stays the same when a file is saved
again, sorted or appended to, and when two files have it; and two rows of one file that are the same are two submissions. Rows of one
person with the same time keep the order of the file: see `same_times`.
"""

import hashlib
import itertools
import json
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from engagement.foundation.errors import count_of
from engagement.foundation.microseconds import count_microseconds
from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow
from engagement.sources.spreadsheet.files import TableFiles
from engagement.sources.spreadsheet.model import SpreadsheetQuestion, SpreadsheetSource, SpreadsheetTable
from engagement.sources.spreadsheet.rows import SpreadsheetReader, SpreadsheetRow, number_repeated, text_columns
from engagement.sources.spreadsheet.same_times import SameTimes, move_behind
from engagement.sources.submissions.flows import hand_over, open_form, refuse_emptied
from engagement.sources.submissions.respondents import Participants
from engagement.sources.submissions.store import SubmissionStore
from engagement.sources.submissions.submission import Answer, Submission, UnreadableSubmission

_ROWS_A_PAGE = 1000
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
        digest = self._digest(urls)
        if self._store.note(_CONTENT) == digest:
            _logger.info("Flow %r: %s as before", self._table.flow_name, count_of(len(urls), "file"))
            return
        held = self._store.versions()
        listed: dict[str, None] = {}
        same_times = SameTimes()
        changed: list[tuple[Submission, str]] = []
        unreadable: list[UnreadableSubmission] = []
        for url in urls:
            name = url.rpartition("/")[2]
            rows, broken = self._reader.read(self._files.read_bytes(url), url)
            unreadable += [
                UnreadableSubmission(f"{url} {row.number}", f"{name}, row {row.number}", row.reason) for row in broken
            ]
            for key, row, uid in self._number(rows):
                # Of a row that several files have, as many count as the file with most of them has.
                if key in listed:
                    continue
                listed[key] = None
                submission = self._make_submission(key, row, same_times.count_earlier(uid, row.time))
                if held.get(key) != submission.version:
                    changed.append((submission, uid))
        refuse_emptied(f"flow {self._table.flow_name!r}", len(held), len(listed), self._context)
        self._store.drop([one.key for one in self._store.set_aside()])
        for page in itertools.batched(changed, _ROWS_A_PAGE):
            self._store.put(page)
        gone = held.keys() - listed.keys()
        self._store.drop(gone)
        self._store.put([], unreadable, {_CONTENT: digest})
        _logger.info(
            "Flow %r: %s in %s: %d new, %d gone",
            self._table.flow_name,
            count_of(len(listed), "row"),
            count_of(len(urls), "file"),
            len(listed.keys() - held.keys()),
            len(gone),
        )

    def _number(self, rows: Sequence[SpreadsheetRow]) -> Iterable[tuple[str, SpreadsheetRow, str]]:
        """Give each row of a file its key and its respondent's uid."""
        uuids = self._participants.uuids(row.respondent for row in rows if row.uid is None)
        uids = [uuids[row.respondent] if row.uid is None else row.uid for row in rows]
        digests = [
            hashlib.sha256(json.dumps([uid, count_microseconds(row.time), row.texts]).encode()).hexdigest()[:32]
            for uid, row in zip(uids, rows, strict=True)
        ]
        return zip(number_repeated(digests), rows, uids, strict=True)

    def _make_submission(self, key: str, row: SpreadsheetRow, earlier: int) -> Submission:
        """Make a row's submission; it is another version if it has another place among those with its time."""
        time = move_behind(row.time, earlier)
        texts = dict(zip(self._columns, row.texts, strict=True))

        def answers(questions: Sequence[SpreadsheetQuestion]) -> tuple[Answer, ...]:
            return tuple(Answer(one.field, texts[one.column], time) for one in questions if texts[one.column])

        episode, survey = answers(self._table.episode_questions), answers(self._survey_questions)
        return Submission(self._table.flow_name, key, str(1 + earlier), time, row.respondent, episode, survey)

    def _digest(self, urls: Sequence[str]) -> str:
        """Digest the names and the contents of the files, and how they are read."""
        zone = self._reader.zone.key
        digest = hashlib.sha256(json.dumps([_VERSION, list(urls), zone, self._reader.prefix]).encode())
        for url in urls:
            known = self._files.known_digest(url)
            digest.update(self._files.digest_of(url, self._files.read_bytes(url)) if known is None else known)
        return digest.hexdigest()
