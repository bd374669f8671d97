"""The invented audience: its members, their phone numbers and channels, and their habits."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from random import Random

from engagement.foundation.data_tables import read_table
from engagement.pipeline.coding.cleaning.places import somali_places
from engagement.sandbox.chance import draw, random_for, uuid_for
from engagement.sandbox.season import EPISODES, ROUND_ZERO_ENDS

PARTICIPANTS_IN_ROUND_ZERO = 400
JOINING_A_DAY = 3
_DAYS_AFTER_ROUND_ZERO = 19


class Survey(Enum):
    """A participant's way of taking the demographics survey."""

    NEVER = "never"
    COMPLETE = "complete"
    PARTLY = "partly"
    SLOWLY = "slowly"  # the other answers come weeks later


class Role(Enum):
    """A participant's special role."""

    NONE = "none"
    TEST = "test"
    WITHOUT_URN = "without URN"
    DELETED = "deleted"
    PROLIFIC = "prolific"
    TWO_NUMBERS = "two numbers"
    EARLY = "early"  # wrote in before the project began


_ROLES = (
    *((Role.TEST,) * 3),
    *((Role.WITHOUT_URN,) * 4),
    *((Role.DELETED,) * 3),
    Role.PROLIFIC,
    *((Role.TWO_NUMBERS,) * 2),
    *((Role.EARLY,) * 8),
)
_PREFIXES_BY_STATE = {
    "somaliland": {"25263": 12, "25265": 4, "25261": 1},
    "puntland": {"25290": 12, "25268": 2, "25261": 2},
}
_OTHER_PREFIXES = {"25261": 16, "25262": 4, "25268": 3, "25269": 2, "25265": 2, "25264": 1}
_SWAHILI_PREFIXES = {"25261": 8, "2547": 6}
_ENGLISH_PREFIXES = {"25261": 10, "25263": 3, "2547": 3, "2519": 2}
_LANGUAGE_WEIGHTS = {"som": 76, "swa": 9, "eng": 15}
_SURVEY_WEIGHTS = {Survey.COMPLETE: 62, Survey.PARTLY: 12, Survey.SLOWLY: 14, Survey.NEVER: 12}
_HOUSEHOLD_LANGUAGES = {
    "som": {"somali": 80, "maay": 14, "arabic": 2, "several_languages": 3, "other_language": 1},
    "swa": {"kiswahili": 6, "bajuni": 3, "somali": 2, "several_languages": 1},
    "eng": {"somali": 8, "english": 3},
}


@dataclass(frozen=True)
class InventedPlace:
    """The place where somebody says they live: a code of a level, and its spellings."""

    level: str
    code: str
    spellings: tuple[str, ...]


@dataclass(frozen=True)
class InventedParticipant:
    """One member of the audience."""

    number: int
    uuid: str
    role: Role
    name: str
    language: str
    gender: str
    age: int
    place: InventedPlace
    household_language: str
    is_displaced: bool
    finds_show_helpful: str
    urns: tuple[str, ...]  # in order of priority
    joined_on: datetime
    deleted_on: datetime | None
    survey: Survey
    answers_episodes: bool
    answers_evaluation: bool
    is_blocked: bool


def make_participants(seed: int) -> tuple[InventedParticipant, ...]:
    """Create everybody who joins during the season; the first 400 do so before round 0 ends."""
    later = JOINING_A_DAY * _DAYS_AFTER_ROUND_ZERO
    return tuple(make_participant(seed, number) for number in range(PARTICIPANTS_IN_ROUND_ZERO + later))


def make_participant(seed: int, number: int) -> InventedParticipant:
    """Create one person; the audience's numbers begin with 0."""
    chance = random_for(seed, "participant", number)
    role = _ROLES[number] if number < len(_ROLES) else Role.NONE
    language = draw(chance, _LANGUAGE_WEIGHTS)
    gender = draw(chance, {"man": 56, "woman": 44})
    names = [
        row["name"]
        for row in read_table(__package__, "names")
        if (row["language"], row["gender"]) == (language, gender)
    ]
    place = draw(chance, _places())
    joined_on = _joining(number, role, chance)
    takes_part = role in (Role.TEST, Role.PROLIFIC, Role.TWO_NUMBERS, Role.EARLY)
    survey = Survey.COMPLETE if takes_part else draw(chance, _SURVEY_WEIGHTS)
    return InventedParticipant(
        number=number,
        uuid=uuid_for(seed, "contact", number),
        role=role,
        name=f"{chance.choice(names)} {number}",
        language=language,
        gender=gender,
        age=_age(chance),
        place=place,
        household_language=draw(chance, _HOUSEHOLD_LANGUAGES[language]),
        is_displaced=chance.random() < (0.38 if place.code in ("baidoa", "kismayo", "daynile", "kaxda") else 0.14),
        finds_show_helpful=draw(chance, {"yes": 7, "no": 2 if gender == "man" else 1, "ambivalent": 1.5}),
        urns=_urns(number, role, language, place, chance),
        joined_on=joined_on,
        deleted_on=joined_on + timedelta(days=60 if number % 2 else 70) if role is Role.DELETED else None,
        survey=survey,
        answers_episodes=takes_part or survey is Survey.NEVER or chance.random() < 0.93,
        answers_evaluation=chance.random() < 0.45,
        is_blocked=role is Role.NONE and chance.random() < 0.01,
    )


@functools.cache
def _places() -> Mapping[InventedPlace, float]:
    return {
        InventedPlace(row["level"], row["code"], tuple(row["spellings"].split("|"))): float(row["weight"])
        for row in read_table(__package__, "places")
    }


def _joining(number: int, role: Role, chance: Random) -> datetime:
    within_a_day = timedelta(seconds=chance.randrange(5 * 3600, 20 * 3600), microseconds=chance.randrange(10**6))
    if role is Role.EARLY:
        return EPISODES[0].aired_on.replace(month=6, day=4 + number, hour=0) + within_a_day
    if number >= PARTICIPANTS_IN_ROUND_ZERO:
        return ROUND_ZERO_ENDS + timedelta(days=(number - PARTICIPANTS_IN_ROUND_ZERO) // JOINING_A_DAY) + within_a_day
    if role is not Role.NONE:
        return EPISODES[0].aired_on.replace(hour=0) + within_a_day
    episode = draw(chance, dict(zip(EPISODES[:3], (6, 3, 2), strict=True)))
    return episode.aired_on.replace(hour=0) + timedelta(days=int(chance.expovariate(0.3)) % 18) + within_a_day


def _age(chance: Random) -> int:
    return min(99, max(10, round(chance.lognormvariate(3.25, 0.38))))


def _urns(number: int, role: Role, language: str, place: InventedPlace, chance: Random) -> tuple[str, ...]:
    if role is Role.WITHOUT_URN:
        return ()
    telephone = f"tel:+{_telephone_number(number, language, place, chance)}"
    if role is Role.TWO_NUMBERS:
        return telephone, f"tel:+25277{number:07d}"
    if role is not Role.NONE:
        return (telephone,)
    channel = draw(chance, {"tel": 92, "telegram": 4, "whatsapp": 4})
    if channel == "telegram":
        return (f"telegram:{700_000_000 + number}#listener_{number}",)
    if channel == "whatsapp":
        return (f"whatsapp:{telephone.removeprefix('tel:+')}",)
    return (telephone,)


def _telephone_number(number: int, language: str, place: InventedPlace, chance: Random) -> str:
    prefix = draw(chance, _prefixes(language, place))
    # Formally valid numbers, made unique by the participant's own number.
    return prefix + f"{chance.randrange(100):02d}0{number:04d}0000"[: 12 - len(prefix)]


def _prefixes(language: str, place: InventedPlace) -> Mapping[str, float]:
    if language != "som":
        return _SWAHILI_PREFIXES if language == "swa" else _ENGLISH_PREFIXES
    states = {place.code, *somali_places().ancestors(place.level, place.code)}
    return next((prefixes for state, prefixes in _PREFIXES_BY_STATE.items() if state in states), _OTHER_PREFIXES)
