"""A listening group's answers, as a partner typed them into a workbook.

It has numbers in many forms, and a row that can't be used. Some of the group are people who write SMS as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from engagement.foundation.workbooks import WorkbookSheet, write_workbook
from engagement.sandbox.answers import InventedAnswer, Meaning, answer_rightly
from engagement.sandbox.chance import random_for, uuid_for
from engagement.sandbox.participants import InventedParticipant, Role, make_participant
from engagement.sources.urns import first_urn, identities_of

DATASET = "s01e02"
FLOW, SURVEY_FLOW = "group_s01e02", "group_survey"
NUMBER_COLUMN, TIME_COLUMN, ANSWER_COLUMN = "Mobile No", "Answered On", "What keeps children from school?"
SURVEY_COLUMNS = {"gender": "Gender", "age": "Age"}
SHEET, TIME_FORMAT = "Answers", "dd/mm/YYYY"

_HEADER = ("No", NUMBER_COLUMN, TIME_COLUMN, ANSWER_COLUMN, *SURVEY_COLUMNS.values())
# Local time, as the columns have no zone.
_MEETING = datetime(2026, 8, 29, 16, 5)  # noqa: DTZ001
_FIRST_NUMBER = 900  # after all who join the audience
_WHO_WRITE_TOO, _OTHERS = 6, 16
_SAID_NOTHING = 9  # about the question, but about herself or himself
_PREFIX = "tel:+25261"
# How people write one and the same number; the last becomes a number to calculate with.
_FORMS = ("0{} {} {}", "+252 {} {} {}", "252{}{}{}")


@dataclass(frozen=True)
class InventedMember:
    """Somebody in the group, with their answers by column."""

    participant: InventedParticipant
    answers: Mapping[str, InventedAnswer]


def make_members(seed: int, audience: Sequence[InventedParticipant]) -> list[InventedMember]:
    """Create the group's members: some of the audience, then people who are in no other way known."""
    writing = [
        one
        for one in audience
        if _has_usual_number(one) and one.role is Role.NONE and one.joined_on.replace(tzinfo=None) < _MEETING
    ]
    chosen = random_for(seed, "listening group").sample(writing, _WHO_WRITE_TOO)
    number = _FIRST_NUMBER
    while len(chosen) < _WHO_WRITE_TOO + _OTHERS:
        one = make_participant(seed, number)
        if _has_usual_number(one):
            chosen.append(one)
        number += 1
    return [InventedMember(one, _answer(seed, one)) for one in chosen]


def meanings_of_members(members: Sequence[InventedMember]) -> dict[str, Meaning]:
    """Return what the texts of the workbook mean."""
    # A cell's blanks at both ends are not kept.
    return {(answer.text or "").strip(): answer.meaning for member in members for answer in member.answers.values()}


def uuids_of_members(seed: int, members: Sequence[InventedMember]) -> dict[str, str]:
    """Return the uuid of each member's number, the same as for their SMS."""
    return {
        identities_of(urn)[-1]: f"avf-phone-uuid-{uuid_for(seed, 'participant', member.participant.number)}"
        for member in members
        if (urn := first_urn(member.participant.urns)) is not None
    }


def write_group(path: Path, members: Sequence[InventedMember]) -> None:
    """Write the workbook."""
    numbers = frozenset((_HEADER.index(NUMBER_COLUMN), _HEADER.index(SURVEY_COLUMNS["age"])))
    write_workbook(path, [WorkbookSheet(SHEET, _HEADER, _rows(members), numbers)])


def _rows(members: Sequence[InventedMember]) -> Iterator[Sequence[str]]:
    number = 0
    for number, member in enumerate(members, 1):
        time = _MEETING + timedelta(minutes=3 * number)
        digits = member.participant.urns[0].removeprefix("tel:+252")
        telephone = _FORMS[number % len(_FORMS)].format(digits[:2], digits[2:5], digits[5:])
        texts = [(member.answers[column].text or "").strip() for column in _HEADER[3:]]
        if number == _SAID_NOTHING:
            texts[0] = ""
        yield str(number), telephone, f"{time:%d/%m/%Y %H:%M}", *texts
    # A number that a spreadsheet program rounded, and the totals.
    came = f"{_MEETING + timedelta(hours=2):%d/%m/%Y %H:%M}"
    yield str(number + 1), "2.5261E+11", came, "lacag la'aan", "nin", "44"
    yield "Total", "", "", str(number + 1), "", ""


def _has_usual_number(participant: InventedParticipant) -> bool:
    return bool(participant.urns) and participant.urns[0].startswith(_PREFIX)


def _answer(seed: int, participant: InventedParticipant) -> dict[str, InventedAnswer]:
    chance = random_for(seed, "listening group", participant.number)
    answers = {ANSWER_COLUMN: answer_rightly(participant, DATASET, chance)}
    for dataset, column in SURVEY_COLUMNS.items():
        answers[column] = answer_rightly(participant, dataset, chance)
    return answers
