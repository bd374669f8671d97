"""Which messages are part of the project: each filter tells what it dropped."""

import enum
from datetime import UTC

from engagement.configuration import PipelineConfiguration
from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.foundation.errors import InputError
from engagement.pipeline.messages.message import Message


class Dropped(enum.StrEnum):
    """Why a message is not part of the outputs, in the order in which the filters look."""

    ALREADY_THERE = "recovered that were there already"
    TEST = "of test contacts"
    NO_EPISODE = "recovered and in no episode's time range"
    NO_ANSWER = "without an answer to an episode"
    OUT_OF_RANGE = "sent outside the project's time range"

    @property
    def is_of_recovered(self) -> bool:
        """Whether it can only happen to recovered messages."""
        return self in (Dropped.ALREADY_THERE, Dropped.NO_EPISODE)


class Filters:
    """What a project leaves out."""

    def __init__(self, configuration: PipelineConfiguration) -> None:
        self._are_tests_dropped = configuration.filter_test_messages
        self._test_participants = frozenset(configuration.test_participant_uuids)
        # Instants with one offset are compared in a fifth of the time.
        self._start, self._end = (
            moment.astimezone(UTC) for moment in (configuration.project_start_date, configuration.project_end_date)
        )

    def reason_to_drop(self, message: Message) -> Dropped | None:
        """Why a message is left out of everything that follows, or None when it stays. "" is an answer.

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
        # From the start on, and until before the end.
        return None if self._start <= time < self._end else Dropped.OUT_OF_RANGE
