"""Rows of RapidPro's responses, from servers of 2016 to 2026.

Decodes only the fields that the pipeline needs: a run's contact is only its uuid, and its URN and name never leave the
page.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec

# Years that exist in every time zone, and that bound every server's clock.
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
# msgspec's errors for unreadable JSON; invalid UTF-8 and too deep nesting have errors of their own.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
RunId = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Workspace(msgspec.Struct, frozen=True):
    """The workspace. An anonymous one hides every URN. Old servers say less, the oldest nothing."""

    # Used as a file name in Contacts/.
    uuid: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    name: str | None = None
    anon: bool = False
    country: str | None = None


class FlowResult(msgspec.Struct, frozen=True):
    """A question whose answers a flow keeps; `categories` are the flow author's groups of answers."""

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
        """Results that the flow keeps; empty if unreadable, as most uses of a flow do not need them."""
        try:
            return _decode_flow_results(self.encoded_results)
        except UNREADABLE:
            return ()


# gc=False: these rows cannot form reference cycles, and pages bring thousands of them.
class Reference(msgspec.Struct, frozen=True, gc=False):
    """A reference to another object, by uuid."""

    uuid: str


class Result(msgspec.Struct, gc=False):
    """One result of a run; `input` is the whole text, if the server still sends it."""

    time: Instant
    name: str | None = None
    category: str | None = None
    value: str | None = None
    input: str | None | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        if not _FIRST_YEAR <= self.time.year <= _LAST_YEAR:
            raise ValueError(f"A time in the year {self.time.year}")


class Run(msgspec.Struct, gc=False):
    """A contact's run through a flow.

    Servers since version 10 send no `id`; archives and live pages have different extra fields.
    """

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
        # A list only while decoding: users of a run never see one.
        values: dict[str, Result] | list[dict[str, Result]] | None = None

    def __post_init__(self) -> None:
        # Written out: function calls here would cost more than the rest of decoding a run.
        if not (
            _FIRST_YEAR <= self.created_on.year <= _LAST_YEAR
            and _FIRST_YEAR <= self.modified_on.year <= _LAST_YEAR
            and (self.exited_on is None or _FIRST_YEAR <= self.exited_on.year <= _LAST_YEAR)
        ):
            raise ValueError("created_on, modified_on or exited_on before 1970 or after 9998")
        values: object = self.values
        if type(values) is list:
            # Until June 2018, archives have a list of objects, each with one result by its key.
            self.values = {key: result for results in values for key, result in results.items()}


class Contact(msgspec.Struct, gc=False):
    """A contact, with its URNs in priority order."""

    uuid: str
    modified_on: Instant
    urns: list[str] = []

    def __post_init__(self) -> None:
        if self.modified_on is not None and not is_sane(self.modified_on):
            raise ValueError(f"A time in the year {self.modified_on.year}")


class NamedReference(msgspec.Struct, frozen=True, gc=False):
    """A reference to another object, by uuid, with its name."""

    uuid: str
    name: str = ""


class ContactDetails(msgspec.Struct, gc=False):
    """A contact's groups, fields and status; its URNs and name are not read."""

    uuid: str
    modified_on: Instant
    groups: list[NamedReference] = []
    fields: dict[str, str | int | float | bool | None] | None = None
    status: str | None = None
    blocked: bool | None = None
    stopped: bool | None = None

    @property
    def is_blocked(self) -> bool:
        """Tell whether the contact gets no messages because somebody blocked it."""
        return bool(self.blocked) or self.status == "blocked"

    @property
    def is_active(self) -> bool:
        """Tell whether it can join groups."""
        return not (self.blocked or self.stopped) and self.status in (None, "active")


class ReachableContact(Contact, gc=False):
    """A contact with its URNs, and whether it may be written to."""

    status: str | None = None
    blocked: bool | None = None
    stopped: bool | None = None

    @property
    def is_active(self) -> bool:
        """Tell whether it may be written to: nobody blocked, stopped or archived it."""
        return not (self.blocked or self.stopped) and self.status in (None, "active")


class ContactGroup(msgspec.Struct, frozen=True):
    """A group of contacts; RapidPro itself fills a smart one, by its query."""

    uuid: str
    name: str
    query: str | None = None


class ContactField(msgspec.Struct, frozen=True):
    """A field of contacts. Older servers call its type `value_type`."""

    key: str
    type: str | None = None
    value_type: str | None = None

    @property
    def holds_text(self) -> bool:
        """Tell whether it takes any text; true if the server does not say."""
        return (self.type or self.value_type or "text") == "text"


class RapidProMessage(msgspec.Struct, gc=False):
    """A contact's message; the row's URN and name are not read."""

    contact: Reference
    direction: str
    created_on: Instant
    text: str | None = None

    def __post_init__(self) -> None:
        if not is_sane(self.created_on):
            raise ValueError(f"A time in the year {self.created_on.year}")


@dataclass(frozen=True)
class UnreadableRow:
    """An unusable row, described without any personal data.

    `uuid` and `flow` are the row's and its flow's uuids, None if unreadable. It was modified between `after` and
    `before`, both included; None if unknown. `key` is the unreadable key, `reason` the problem.
    """

    uuid: str | None
    flow: str | None
    after: datetime | None
    before: datetime | None
    key: str
    reason: str


@dataclass(frozen=True)
class Page[Row]:
    """Rows as received, with their `unreadable` neighbours.

    `following` requests the next page, None on the last. `answered_on` is the server's clock. `replaced_characters`
    counts the lone surrogates that became U+FFFD.
    """

    rows: list[Row]
    following: str | None = None
    answered_on: datetime | None = None
    unreadable: tuple[UnreadableRow, ...] = ()
    replaced_characters: int = 0


def is_sane(at: datetime) -> bool:
    """Tell whether a time exists in every time zone and a server's clock could have shown it."""
    return _FIRST_YEAR <= at.year <= _LAST_YEAR
