"""Forms and their responses as the API sends them, and as the pipeline reads them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engagement.services.google_forms.instants import GoogleTime, read_instant
from engagement.services.json_pieces import mend_surrogates, split_list, split_object

# The last two are no errors of msgspec's own.
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_MOST_PIECES = 10_000


class NotAnAnswerError(Exception):
    """The body is JSON, but not what the API answers with; the text says what it lacks."""


@dataclass(frozen=True)
class ListedQuestion:
    """A question of a form.

    A grid has one for each row, titled "<grid's title> [<row's title>]" as in Google's own CSV.
    """

    question_id: str
    title: str
    item_id: str
    takes_files: bool = False


@dataclass(frozen=True)
class Form:
    """A form, with its questions in order. Items without a question, such as pictures, are left out."""

    form_id: str
    title: str
    questions: tuple[ListedQuestion, ...]


@dataclass(frozen=True)
class FormResponse:
    """A response: `answers` are the values of each answered question, by its id.

    Files have no text, so no values.
    """

    response_id: str
    created: GoogleTime
    last_submitted: GoogleTime
    respondent_email: str | None
    answers: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class UnreadableResponse:
    """A response that can't be read: its number in the page (from 1), the key at fault and why."""

    number: int
    response_id: str | None
    key: str
    reason: str


@dataclass(frozen=True)
class ResponsePage:
    """A page of responses; `next_token` is None on the last one."""

    rows: list[FormResponse]
    unreadable: list[UnreadableResponse]
    next_token: str | None


class _Value(msgspec.Struct):
    value: str = ""


class _Values(msgspec.Struct):
    answers: list[_Value] = []


class _Answer(msgspec.Struct, rename="camel"):
    text_answers: _Values | None = None


class _Response(msgspec.Struct, rename="camel"):
    response_id: str
    create_time: str
    last_submitted_time: str
    respondent_email: str | None = None
    answers: dict[str, _Answer] = {}


class _Page(msgspec.Struct, rename="camel"):
    responses: list[_Response] = []
    next_page_token: str | None = None


class _RawPage(msgspec.Struct, rename="camel"):
    responses: list[msgspec.Raw] = []
    next_page_token: str | None = None


class _Row(msgspec.Struct):
    title: str = ""


class _Question(msgspec.Struct, rename="camel"):
    question_id: str
    row_question: _Row | None = None
    file_upload_question: dict[str, Any] | None = None


class _QuestionItem(msgspec.Struct):
    question: _Question


class _QuestionGroupItem(msgspec.Struct):
    questions: list[_Question] = []


class _Item(msgspec.Struct, rename="camel"):
    item_id: str = ""
    title: str = ""
    question_item: _QuestionItem | None = None
    question_group_item: _QuestionGroupItem | None = None


class _Info(msgspec.Struct, rename="camel"):
    title: str = ""
    document_title: str = ""


class _Form(msgspec.Struct, rename="camel"):
    form_id: str
    info: _Info = msgspec.field(default_factory=_Info)
    items: list[_Item] = []


class _Identity(msgspec.Struct, rename="camel"):
    response_id: str | None = None


_decode_form = msgspec.json.Decoder(_Form).decode
_decode_page = msgspec.json.Decoder(_Page).decode
_decode_raw_page = msgspec.json.Decoder(_RawPage).decode
_decode_response = msgspec.json.Decoder(_Response).decode
_decode_identity = msgspec.json.Decoder(_Identity).decode


def read_form(body: bytes) -> Form:
    """Read a form.

    Raises
    ------
    NotAnAnswerError
        It is not a form.
    ValueError
        It is not JSON.
    """
    try:
        form = _decode_form(body)
    except msgspec.ValidationError as error:
        raise NotAnAnswerError(_say(error)[1]) from None
    except RecursionError:
        raise NotAnAnswerError("nested too deeply") from None
    title = form.info.title or form.info.document_title
    return Form(form.form_id, title, tuple(question for item in form.items for question in _questions_of(item)))


def _questions_of(item: _Item) -> Iterator[ListedQuestion]:
    if item.question_item is not None:
        question = item.question_item.question
        yield ListedQuestion(
            question.question_id, squeeze(item.title), item.item_id, question.file_upload_question is not None
        )
    if item.question_group_item is not None:
        for question in item.question_group_item.questions:
            row = question.row_question.title if question.row_question is not None else ""
            yield ListedQuestion(question.question_id, squeeze(f"{item.title} [{row}]"), item.item_id)


def squeeze(title: str) -> str:
    """Make any white space in a title one space: people do not see the difference.

    >>> squeeze("Which  county? ")
    'Which county?'
    """
    return " ".join(title.split())


def read_page(body: bytes) -> ResponsePage:
    """Read a page of responses; one that can't be read is told apart, and the others are kept.

    Raises
    ------
    NotAnAnswerError
        It is not a page.
    ValueError
        It is not JSON.
    """
    try:
        page = _decode_page(body)
        rows = [_response_of(row) for row in page.responses]
        return ResponsePage(rows, [], page.next_page_token or None)
    except (_BadValueError, *_UNREADABLE):
        # Half a character, as old phones send, is no reason to lose the page.
        return _read_one_by_one(mend_surrogates(body)[0])


def _read_one_by_one(body: bytes) -> ResponsePage:
    try:
        page = _decode_raw_page(body)
    except msgspec.ValidationError as error:
        raise NotAnAnswerError(_say(error)[1]) from None
    except RecursionError:
        page = _split_page(body)
    rows: list[FormResponse] = []
    unreadable: list[UnreadableResponse] = []
    for number, raw in enumerate(page.responses, 1):
        try:
            rows.append(_response_of(_decode_response(raw)))
        except _BadValueError as error:
            unreadable.append(UnreadableResponse(number, _id_of(raw), error.key, error.reason))
        except _UNREADABLE as error:
            key, reason = _say(error)
            unreadable.append(UnreadableResponse(number, _id_of(raw), key, reason))
    return ResponsePage(rows, unreadable, page.next_page_token or None)


def _split_page(body: bytes) -> _RawPage:
    """Split a page by quotes and brackets alone.

    So a response that is nested too deeply does not affect the others.
    """
    members = split_object(body, _MOST_PIECES)
    responses = split_list(members.get(b'"responses"', b"[]"), _MOST_PIECES)
    token = msgspec.json.decode(members.get(b'"nextPageToken"', b"null"), type=str | None)
    return _RawPage([msgspec.Raw(response) for response in responses], token)


class _BadValueError(Exception):
    def __init__(self, key: str, reason: str):
        super().__init__(key)
        self.key = key
        self.reason = reason


def _response_of(row: _Response) -> FormResponse:
    if not row.response_id:
        raise _BadValueError("responseId", "is empty; expected an id")
    created = _instant_of(row.create_time, "createTime")
    if row.last_submitted_time == row.create_time:
        last = created
    else:
        last = _instant_of(row.last_submitted_time, "lastSubmittedTime")
    answers = {}
    for question_id, answer in row.answers.items():
        values = answer.text_answers.answers if answer.text_answers is not None else ()
        answers[question_id] = tuple([one.value for one in values])
    return FormResponse(row.response_id, created, last, row.respondent_email or None, answers)


def _instant_of(text: str, key: str) -> GoogleTime:
    try:
        return read_instant(text)
    except ValueError:
        raise _BadValueError(key, "is not a time; expected one like 2026-03-02T07:00:00.123Z") from None


def _id_of(raw: msgspec.Raw) -> str | None:
    try:
        return _decode_identity(raw).response_id
    except RecursionError:
        found = split_object(bytes(raw), _MOST_PIECES).get(b'"responseId"', b"null")
        return msgspec.json.decode(found, type=str | None)
    except ValueError:
        return None


def _say(error: Exception) -> tuple[str, str]:
    """Part msgspec's message into the key and the reason; it quotes no values. Python's own may."""
    if not isinstance(error, msgspec.ValidationError):
        return "the row", "nested too deeply" if isinstance(error, RecursionError) else "not JSON, or not UTF-8"
    reason, _, path = str(error).partition(" - at `")
    key = path.rstrip("`").removeprefix("$").lstrip(".")
    return key or "the row", reason[:1].lower() + reason[1:]
