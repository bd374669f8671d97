"""What KoboToolbox sends, read strictly: listed submissions, their answers, and forms.

A submission that can't be read is reported beside the others, by its number and without its content.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from engagement.services.json_pieces import BrokenJSONError, mend_surrogates, split_list, split_object

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
# What a reviewer chose: "Not approved".
_REJECTED = "validation_status_not_approved"
# A server sends 1,000 submissions a page at most, 30,000 before 2026.
_MOST_ROWS = 30_000
_MOST_VALUES = 500_000
# Times, and whatever says who filled in the form: the enumerator, never the participant.
_METADATA = frozenset(
    ("start", "end", "today", "username", "deviceid", "phonenumber", "email", "subscriberid", "simserial", "audit")
)
_FILES = frozenset(("audio", "video", "image", "file", "background-audio"))


class NotKoboError(Exception):
    """The response is not what API v2 answers; the text says how it differs."""


class ReviewStatus(msgspec.Struct):
    """A reviewer's decision; without one the server sends {}."""

    uid: str | None = None


class ListedSubmission(msgspec.Struct):
    """A submission in the listing: `id` stays when it is edited, `uuid` changes."""

    id: int = msgspec.field(name="_id")
    uuid: str | None = msgspec.field(name="_uuid", default=None)
    review: ReviewStatus | None = msgspec.field(name="_validation_status", default=None)

    @property
    def is_rejected(self) -> bool:
        """Tell whether a reviewer did not approve it."""
        return self.review is not None and self.review.uid == _REJECTED


class KoboSubmission(msgspec.Struct):
    """A submission as the server has it: `values` are its answers, by path, and the server's own keys."""

    id: int
    uuid: str
    values: dict[str, Any]


class LostSubmission(msgspec.Struct):
    """A submission that can't be used; `id` is None if even that can't be read."""

    id: int | None
    reason: str


class KoboPage[Row](msgspec.Struct):
    """Some submissions in the order of their ids; `count` is how many the question matched in all."""

    count: int
    rows: list[Row]
    unreadable: list[LostSubmission] = []


class SurveyRow(msgspec.Struct):
    """A row of a form's survey: a question, or the begin or end of a group."""

    type: str = ""
    xpath: str | None = msgspec.field(name="$xpath", default=None)
    name: str | None = None
    choices: str | None = msgspec.field(name="select_from_list_name", default=None)


class FormChoice(msgspec.Struct):
    """A choice of a list: its name, which answers hold, and its label in each language."""

    list_name: str | None = None
    name: str | None = None
    label: list[str | None] | str | None = None


class _Content(msgspec.Struct):
    survey: list[SurveyRow] = []
    choices: list[FormChoice] = []


class _Asset(msgspec.Struct):
    uid: str
    name: str = ""
    asset_type: str = "survey"
    has_deployment: bool = True
    content: _Content | None = None


class SurveyQuestion(NamedTuple):
    """A question's type, and the list that its answers are chosen from."""

    kind: str
    choices: str | None

    @property
    def is_metadata(self) -> bool:
        """Tell whether the device answers it."""
        return self.kind in _METADATA

    @property
    def is_file(self) -> bool:
        """Tell whether its answers are names of files."""
        return self.kind in _FILES


class FormContent(msgspec.Struct, frozen=True):
    """A form as it is now: its questions by path, and the labels of choices by list and name."""

    name: str
    is_survey: bool
    is_deployed: bool
    questions: Mapping[str, SurveyQuestion]
    labels: Mapping[str, Mapping[str, str]]


class _Id(msgspec.Struct):
    id: int = msgspec.field(name="_id")


class _Head(msgspec.Struct):
    id: int = msgspec.field(name="_id")
    uuid: str | None = msgspec.field(name="_uuid", default=None)


class _Body(msgspec.Struct):
    results: list[msgspec.Raw]
    count: int


class _Listing(msgspec.Struct):
    results: list[ListedSubmission]
    count: int


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_listing = msgspec.json.Decoder(_Listing).decode
_decode_listed = msgspec.json.Decoder(ListedSubmission).decode
_decode_head = msgspec.json.Decoder(_Head).decode
_decode_id = msgspec.json.Decoder(_Id).decode
_decode_values = msgspec.json.Decoder(dict[str, Any]).decode
_decode_asset = msgspec.json.Decoder(_Asset).decode


def read_listing(content: bytes) -> KoboPage[ListedSubmission]:
    """Read a page of the listing.

    Raises
    ------
    NotKoboError
        It is not a page.
    """
    try:
        listing = _decode_listing(content)
    except UNREADABLE:
        return _read_one_by_one(content, _decode_listed)
    _check_rows(listing.results)
    return KoboPage(listing.count, listing.results)


def read_submissions(content: bytes) -> KoboPage[KoboSubmission]:
    """Read a page of whole submissions.

    Raises
    ------
    NotKoboError
        It is not a page.
    """
    return _read_one_by_one(content, _read_submission)


def read_form(content: bytes) -> FormContent:
    """Read a form.

    Raises
    ------
    NotKoboError
        It is not a form.
    """
    try:
        asset = _decode_asset(content)
    except UNREADABLE as failure:
        raise NotKoboError(explain(failure)) from None
    content_of_form = asset.content or _Content()
    labels: dict[str, dict[str, str]] = {}
    for choice in content_of_form.choices:
        if choice.list_name is not None and choice.name is not None:
            labels.setdefault(choice.list_name, {})[choice.name] = _first_label(choice.label) or choice.name
    return FormContent(
        asset.name,
        asset.asset_type == "survey",
        asset.has_deployment,
        dict(_find_questions(content_of_form.survey)),
        labels,
    )


def explain(failure: Exception) -> str:
    """Say why something can't be read. Shows no content: msgspec names types and our own keys alone."""
    if isinstance(failure, RecursionError):
        return "nested too deeply"
    if isinstance(failure, msgspec.ValidationError):
        return str(failure)
    return "text that is not UTF-8" if isinstance(failure, UnicodeDecodeError) else "not JSON"


def _read_one_by_one[Row](content: bytes, read: Any) -> KoboPage[Row]:
    count, texts = _split(content)
    _check_rows(texts)
    page: KoboPage[Row] = KoboPage(count, [], [])
    for text in texts:
        try:
            page.rows.append(read(text))
        except UNREADABLE:
            try:
                page.rows.append(read(mend_surrogates(text)[0]))
            except UNREADABLE as failure:
                page.unreadable.append(LostSubmission(_id_of(text), explain(failure)))
    return page


def _split(content: bytes) -> tuple[int, Sequence[bytes]]:
    """Split a page into its count and its submissions, unread."""
    try:
        body = _decode_body(content)
    except UNREADABLE as failure:
        try:
            # By quotes and brackets alone: one submission that is nested too deeply does not affect the others.
            members = split_object(content, _MOST_VALUES)
            texts = split_list(members[b'"results"'], _MOST_VALUES)
            return msgspec.json.decode(members[b'"count"'], type=int), texts
        except (BrokenJSONError, LookupError, *UNREADABLE):
            raise NotKoboError(explain(failure)) from None
    return body.count, [bytes(text) for text in body.results]


def _read_submission(text: bytes) -> KoboSubmission:
    head = _decode_head(text)
    return KoboSubmission(head.id, head.uuid or "", _decode_values(text))


def _id_of(text: bytes) -> int | None:
    try:
        return _decode_id(text).id
    except UNREADABLE:
        pass
    try:
        # By quotes and brackets alone: what can't be read is somewhere else in it.
        return msgspec.json.decode(split_object(text, _MOST_VALUES)[b'"_id"'], type=int)
    except (BrokenJSONError, LookupError, *UNREADABLE):
        return None


def _check_rows(rows: Sequence[object]) -> None:
    if len(rows) > _MOST_ROWS:
        raise NotKoboError(f"{len(rows)} submissions on one page; expected at most {_MOST_ROWS}")


def _find_questions(survey: Sequence[SurveyRow]) -> Iterator[tuple[str, SurveyQuestion]]:
    for row in survey:
        # Older forms have the list's name behind the type.
        kind, _, choices = row.type.partition(" ")
        if row.xpath and not kind.startswith(("begin", "end_", "note")):
            yield row.xpath, SurveyQuestion(kind, row.choices or choices.strip() or None)


def _first_label(label: Sequence[str | None] | str | None) -> str | None:
    return label if isinstance(label, str) else next((text for text in label or () if text), None)
