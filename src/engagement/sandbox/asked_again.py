"""Surveys that ask again, once contacts have fields `<question>_answered` that flows can look at.

Every day some of the audience are asked about themselves once more, but for what RapidPro knows to be answered.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from engagement.sandbox.answers import answer_question
from engagement.sandbox.chance import random_for, uuid_for
from engagement.sandbox.contact_changes import ContactChanges
from engagement.sandbox.participants import InventedParticipant, Role, Survey
from engagement.sandbox.runs import InventedResult, InventedRun
from engagement.sandbox.season import DEMOGRAPHIC_FIELDS, DEMOGRAPHICS_FLOW, end_of_round

ASKED_A_DAY = 15


def answered_field(question: str) -> str:
    """Name the field that says that a question is answered.

    >>> answered_field("age")
    'age_answered'
    """
    return f"{question}_answered"


def make_runs_asked_again(
    seed: int, participants: Sequence[InventedParticipant], round_number: int, changes: ContactChanges
) -> list[InventedRun]:
    """Create the surveys that ask again until the end of a round; none before contacts have such fields."""
    runs = []
    for number in range(1, round_number + 1):
        begun = end_of_round(number - 1)
        known = [one for one in participants if one.joined_on <= begun and one.deleted_on is None]
        willing = [one for one in known if one.survey is not Survey.NEVER and one.role is Role.NONE]
        chance = random_for(seed, "asked again", number)
        for participant in chance.sample(willing, min(ASKED_A_DAY, len(willing))):
            created_on = time = begun + timedelta(hours=8, seconds=chance.randrange(3600))
            open_questions = _find_open(participant, created_on, changes)
            if not open_questions:
                continue
            results = []
            for key in open_questions:
                time += timedelta(seconds=chance.randrange(15, 900), microseconds=chance.randrange(10**6))
                results.append(InventedResult(key, answer_question(participant, key, chance), time))
            uuid = uuid_for(seed, "run asked again", participant.number, number)
            completed_on = time + timedelta(milliseconds=180)
            runs.append(
                InventedRun(uuid, participant, DEMOGRAPHICS_FLOW, created_on, tuple(results), completed_on, False)
            )
    return sorted(runs, key=lambda run: (run.created_on, run.uuid))


def _find_open(participant: InventedParticipant, at: datetime, changes: ContactChanges) -> list[str]:
    """Find the questions that a flow would put to somebody; none before the fields are there."""
    times = [datetime.fromisoformat(by_key[key]) for by_key in changes.set_on.values() for key in by_key]
    if not any(time < at for time in times):
        return []
    own = changes.set_on.get(participant.uuid, {})
    known = {key for key, time in own.items() if datetime.fromisoformat(time) < at}
    return [key for key in DEMOGRAPHIC_FIELDS if answered_field(key) not in known]
