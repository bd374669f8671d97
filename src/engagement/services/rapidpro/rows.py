"""The rows that RapidPro answers with, as servers from 2016 to 2026 send them.

Only the fields that a pipeline needs are decoded: a run's contact is known by its uuid alone, and neither its URN nor any name
leaves the page that brought it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec

# Years that are an instant in every time zone, and that no server's clock was ever before or after.
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
# What msgspec raises for JSON that it can't read: a text that is no UTF-8 and too many brackets have errors of their own.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
RunId = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Workspace(msgspec.Struct, frozen=True):
    """Whose data they are. An anonymous one hides every URN. Old servers tell less, the oldest nothing."""

    # Names a file in Contacts/.
    uuid: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    name: str | None = None
    anon: bool = False
    country: str | None = None


class FlowResult(msgspec.Struct, frozen=True):
    """A question that a flow keeps the answers to. `categories` are what the flow's author sorts answers into."""

    key: str
    categories: tuple[str, ...] = ()


_decode_flow_results = msgspec.json.Decoder(tuple[FlowResult, ...]).decode


class Flow(msgspec.Struct, frozen=True):
    """A flow of the workspace."""

    uuid: str
    name: str
    archived: bool | None = False
    encoded_results: msgspec.Raw = msgspec.field(name="results", default=msgspec.Raw(b"[]"))

    @property
    def results(self) -> tuple[FlowResult, ...]:
        """What the flow keeps; nothing where that can't be read, as most of what is done with a flow does not need it."""
        try:
            return _decode_flow_results(self.encoded_results)
        except UNREADABLE:
            return ()


# gc=False: these rows hold nothing that leads back to them, and pages bring thousands of them.
class Reference(msgspec.Struct, frozen=True, gc=False):
    """Another object, by its uuid."""

    uuid: str


class Result(msgspec.Struct, gc=False):
    """One result of a run. `input` is the whole text where the server still sends it."""

    time: Instant
    name: str | None = None
    category: str | None = None
    value: str | None = None
    input: str | None | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        if not _FIRST_YEAR <= self.time.year <= _LAST_YEAR:
            raise ValueError(f"A time in the year {self.time.year}")


class Run(msgspec.Struct, gc=False):
    """A contact's way through a flow. Servers since version 10 send no `id`; archives and live pages differ in what they add."""

    uuid: str
    flow: Reference
    contact: Reference
    created_on: Instant
    modified_on: Instant
    exited_on: Instant | None = None
    exit_type: str | None = None
    id: RunId | None = None
    if TYPE_CHECKING:
        values: dict[str, Result] | None = None
    else:
        # A list only on its way in: nobody who has a run meets one.
        values: dict[str, Result] | list[dict[str, Result]] | None = None

    def __post_init__(self) -> None:
        # Written out: a call for each would cost more than all else that decoding a run does.
        if not (
            _FIRST_YEAR <= self.created_on.year <= _LAST_YEAR
            and _FIRST_YEAR <= self.modified_on.year <= _LAST_YEAR
            and (self.exited_on is None or _FIRST_YEAR <= self.exited_on.year <= _LAST_YEAR)
        ):
            raise ValueError("created_on, modified_on or exited_on before 1970 or after 9998")
        values: object = self.values
        if type(values) is list:
            # Archives until June 2018 have a list of objects, each of one result by its key.
            self.values = {key: result for results in values for key, result in results.items()}


class Contact(msgspec.Struct, gc=False):
    """A contact, with its URNs in priority order."""

    uuid: str
    modified_on: Instant
    urns: list[str] = []

    def __post_init__(self) -> None:
        if self.modified_on is not None and not is_sane(self.modified_on):
            raise ValueError(f"A time in the year {self.modified_on.year}")


class RapidProMessage(msgspec.Struct, gc=False):
    """A message of a contact's. Rows hold their URN and name as well: neither is read."""

    contact: Reference
    direction: str
    created_on: Instant
    text: str | None = None

    def __post_init__(self) -> None:
        if not is_sane(self.created_on):
            raise ValueError(f"A time in the year {self.created_on.year}")


@dataclass(frozen=True)
class UnreadableRow:
    """A row that can't be used, without anything that it says of a person.

    `uuid` is the row's and `flow` its flow's, None where they can't be read. It was modified at or after `after`, and at or before
    `before`; None where nothing tells. `key` is where in the row it can't be read, `reason` why.
    """

    uuid: str | None
    flow: str | None
    after: datetime | None
    before: datetime | None
    key: str
    reason: str


@dataclass(frozen=True)
class Page[Row]:
    """Rows as they came. `following` is what asks for the next page, None on the last; `answered_on` is the server's clock.

    `unreadable` came beside them. `replaced_characters` counts the halves of characters that became U+FFFD.
    """

    rows: list[Row]
    following: str | None = None
    answered_on: datetime | None = None
    unreadable: tuple[UnreadableRow, ...] = ()
    replaced_characters: int = 0


def is_sane(at: datetime) -> bool:
    """Whether a time is an instant in every time zone, and none that no server's clock has shown."""
    return _FIRST_YEAR <= at.year <= _LAST_YEAR
