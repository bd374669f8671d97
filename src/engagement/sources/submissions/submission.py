"""Submissions: what one respondent gave at once, however it came: a filled form, a row, a comment."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple


class Respondent(NamedTuple):
    """A person who answered.

    `identities` are the possible ids in the uuid table, oldest form first; they never reach the disk.
    `operator_raw` is a number's first five digits, else the channel's name, which `urn_type` is.
    """

    identities: tuple[str, ...]
    urn_type: str
    operator_raw: str

    def __repr__(self) -> str:
        """Hide who it is."""
        return f"Respondent({self.urn_type})"


class Answer(NamedTuple):
    """An answer to the question with this Field. `time` is aware."""

    field: str
    text: str
    time: datetime


class Submission(NamedTuple):
    """Answers of one respondent, at most one a Field.

    `time` is aware: submissions are ordered by it, then by `key`.
    `flow` is the form's FlowName. `key` is the service's own permanent id, unique in the flow; `version` changes with an edit.
    """

    flow: str
    key: str
    version: str
    time: datetime
    respondent: Respondent
    episode: tuple[Answer, ...] = ()
    survey: tuple[Answer, ...] = ()

    @property
    def texts(self) -> Iterator[str]:
        """The texts of all its answers."""
        return (answer.text for answer in (*self.episode, *self.survey))


class UnreadableSubmission(NamedTuple):
    """A submission that can't be read: key, place for people, and reason; never a value of it."""

    key: str
    place: str
    reason: str
