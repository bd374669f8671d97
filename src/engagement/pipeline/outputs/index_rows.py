"""Make the rows of messages_index.csv: when and how each message came, and its ids in Coda."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy

from engagement.configuration import CodingPlan, PipelineConfiguration
from engagement.configuration.field_names import UID_FIELD
from engagement.foundation.csv_cells import encode_cell, guard_cell
from engagement.foundation.microseconds import MICROSECOND, count_microseconds, make_instant
from engagement.pipeline.coding.coded_datasets import CodedDataset
from engagement.pipeline.messages.message import Message
from engagement.pipeline.outputs.message_sources import MessageSources, SurveyKeys
from engagement.pipeline.outputs.rows import WITHDRAWN

MESSAGES_INDEX = "messages_index"
_COLUMNS = (UID_FIELD, "time", "episode", "source", "flow", "run_id")
_QUARTER = timedelta(minutes=15) // MICROSECOND
# No zone takes these out of the calendar.
_FIRST, _LAST = (count_microseconds(datetime(*day, tzinfo=UTC)) for day in ((1, 1, 3), (9999, 12, 29)))
_LENGTH_OF_TIME = len("2026-03-01T10:00:00")


def index_header(plans: Sequence[CodingPlan]) -> list[str]:
    """Name the columns; each dataset in Coda has one."""
    return [*_COLUMNS, *(f"{plan.coda_dataset}_message_id" for plan in plans if plan.coda_dataset is not None)]


def withdrawn_index_row(plans: Sequence[CodingPlan]) -> list[str]:
    """Make the cells of a message of a participant who withdrew, with nothing of theirs in them."""
    return [WITHDRAWN] * len(index_header(plans))


class IndexLine(NamedTuple):
    """A line of the index without its time.

    `shared` is one object for all of a participant's messages, to save memory.
    """

    uid: str
    own: str
    shared: str


class IndexRows:
    """Makes the lines of the index; their times are added when they are written, many at once."""

    def __init__(
        self,
        configuration: PipelineConfiguration,
        plans: Sequence[CodingPlan],
        number_of_episodes: int,
        datasets: Mapping[str, CodedDataset],
    ) -> None:
        """`datasets` are by raw field. The first `number_of_episodes` of the `plans` are for episodes."""
        numbers = [number for number, plan in enumerate(plans) if plan.coda_dataset is not None]
        self._origins = _Origins(configuration, plans[:number_of_episodes])
        self._columns = {number: (place, datasets[plans[number].raw_field]) for place, number in enumerate(numbers)}
        self._ids = [""] * len(numbers)
        # The place of the first survey among the ids, and among the plans.
        self._first_place = sum(number < number_of_episodes for number in numbers)
        self._first_survey = number_of_episodes
        self._shared: str | None = None
        self._uid = self._uid_cell = ""

    def make_next_line(self, uid: str, message: Message, run_id: str, changed: Sequence[int]) -> IndexLine:
        """Make the line of the next message that did not withdraw, `run_id` being its run's.

        `changed` are the numbers of the plans whose answers differ from the last line.
        """
        ids, texts = self._ids, message.texts
        for number in changed:
            column = self._columns.get(number)
            if column is not None:
                text = texts[number]
                # Coders do not see an answer without a text.
                ids[column[0]] = column[1].find(text)[0] if text else ""
                if number >= self._first_survey:
                    self._shared = None
        if self._shared is None:
            self._shared = "".join([f",{message_id}" for message_id in ids[self._first_place :]]) + "\n"
        if uid != self._uid:
            self._uid, self._uid_cell = uid, encode_cell(uid)
        run = run_id if run_id.isalnum() else _encode(run_id)
        own = ",".join([self._origins.tell(message), run, *ids[: self._first_place]])
        return IndexLine(self._uid_cell, own, self._shared)


def write_times(microseconds: Sequence[int], time_zone: ZoneInfo) -> list[str]:
    """Write instants, in microseconds since 1970, as ISO 8601 times of a zone.

    >>> write_times([0, 1_775_000_000_000_001], ZoneInfo("Africa/Nairobi"))
    ['1970-01-01T03:00:00.000000+03:00', '2026-04-01T02:33:20.000001+03:00']
    """
    instants = numpy.array(microseconds, numpy.int64)
    # Clocks change on the quarter of an hour. One offset for each takes a fifth of the time that one for each instant does.
    quarters, places = numpy.unique(instants // _QUARTER, return_inverse=True)
    starts = [make_instant(min(max(start, _FIRST), _LAST)) for start in (quarters * _QUARTER).tolist()]
    offsets = [start.astimezone(time_zone) for start in starts]
    shifts = numpy.array([(offset.utcoffset() or timedelta()) // MICROSECOND for offset in offsets], numpy.int64)
    written = numpy.datetime_as_string((instants + shifts[places]).astype("datetime64[us]")).tolist()
    names = [offset.isoformat()[_LENGTH_OF_TIME:] for offset in offsets]
    return [time + names[place] for time, place in zip(written, places.tolist(), strict=True)]


class _Origins:
    """The episode, source and flow of messages, as cells."""

    def __init__(self, configuration: PipelineConfiguration, episodes: Sequence[CodingPlan]) -> None:
        self._episodes = {plan.raw_field: _encode(_name_episode(plan)) for plan in episodes}
        self._sources, self._surveys = MessageSources(configuration), SurveyKeys(configuration)
        self._known: dict[tuple[str, str], str] = {}

    def tell(self, message: Message) -> str:
        field, raw_key = message.plan.raw_field if message.plan else "", message.raw_key or self._surveys.find(message)
        found = self._known.get((field, raw_key))
        if found is None:
            found = f"{self._episodes.get(field, '')},{','.join(map(_encode, self._sources.tell(raw_key)))}"
            self._known[field, raw_key] = found
        return found


def _name_episode(plan: CodingPlan) -> str:
    keys = (configuration.analysis_file_key for configuration in plan.coding_configurations)
    return next((key for key in keys if key is not None), plan.raw_field)


def _encode(cell: str) -> str:
    return cell if cell.isalnum() else encode_cell(guard_cell(cell))
