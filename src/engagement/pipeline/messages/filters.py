"""Filters that leave out messages that are not part of the project, and say why."""

import enum
from collections.abc import Iterable
from datetime import UTC

from engagement.configuration import PipelineConfiguration
from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.foundation.errors import InputError
from engagement.pipeline.messages.message import Message


class Dropped(enum.StrEnum):
    """Reasons to leave a message out of the outputs, in the order the filters check them."""

    ALREADY_THERE = "recovered that were there already"
    TEST = "of test contacts"
    NO_EPISODE = "recovered and in no episode's time range"
    NO_ANSWER = "without an answer to an episode"
    OUT_OF_RANGE = "sent outside the project's time range"

    @property
    def is_of_recovered(self) -> bool:
        """True if only recovered messages can be dropped for this reason."""
        return self in (Dropped.ALREADY_THERE, Dropped.NO_EPISODE)


class Filters:
    """The filters of a project."""

    def __init__(self, configuration: PipelineConfiguration, test_participants: Iterable[str]) -> None:
        self._are_tests_dropped = configuration.filter_test_messages
        self._test_participants = frozenset(test_participants)
        # Comparing instants is five times as fast when their offsets are the same.
        self._start, self._end = (
            moment.astimezone(UTC) for moment in (configuration.project_start_date, configuration.project_end_date)
        )

    def reason_to_drop(self, message: Message) -> Dropped | None:
        """Find the reason to leave a message out of all later steps; None to keep it. "" is an answer.

        Raises
        ------
        InputError
            An answer has no time.
        """
        values = message.record.values
        if self._are_tests_dropped and (
            values.get("test_run") is True or values.get(PARTICIPANT_KEY) in self._test_participants
        ):
            return Dropped.TEST
        if message.text is None:
            return Dropped.NO_ANSWER if message.is_without_answer else Dropped.NO_EPISODE
        time = message.time
        if time is None:
            raise InputError(
                f"Participant {values.get('uid')!r}: an answer to {message.plan.raw_field!r} has no "  # type: ignore[union-attr]  # with a text there is one
                f"{message.plan.time_field!r}; expected a time beside each answer. Check RapidProKeyRemappings."  # type: ignore[union-attr]  # as above
            )
        # The start is inclusive, the end exclusive.
        return None if self._start <= time < self._end else Dropped.OUT_OF_RANGE
