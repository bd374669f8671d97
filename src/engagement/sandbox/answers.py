"""Participants' texts and what they mean; only the sandbox's coder may know the meaning."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from engagement.foundation.data_tables import read_table
from engagement.sandbox.ages import write_age
from engagement.sandbox.chance import draw
from engagement.sandbox.messiness import mess_up
from engagement.sandbox.participants import InventedParticipant
from engagement.sandbox.season import DEMOGRAPHIC_FIELDS

ANY_DATASET = "*"

# Dataset -> codes. A text sent to a dataset in which it has a meaning belongs there, otherwise it is in the wrong
# one.
Meaning = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class InventedAnswer:
    """A text as sent (None if nothing was kept), and its meaning."""

    text: str | None
    meaning: Meaning = field(default_factory=dict)


_EPISODES = ("s01e01", "s01e02", "s01e03")
_EPISODE_ANSWERS = {"theme": 800, "meta": 45, "STOP": 5, "NC": 22, "empty": 8, "null": 6, "elsewhere": 60}
_SURVEY_ANSWERS = {"right": 880, "STOP": 3, "NC": 16, "empty": 10, "null": 18, "elsewhere": 30, "greeting": 8}
_METAS = {
    "greeting": 3,
    "gratitude": 4,
    "about_conversation": 3,
    "impact": 3,
    "question": 3,
    "push_back": 1,
    "showtime_question": 1,
    "opt_in": 1,
}
_BLANK_TEXTS = ("", "", " ", "\n", "  \t")
_NUMBER_TO_CALL = {
    "som": "iga soo wac 06155500{:02d}",
    "swa": "nipigie 06155500{:02d}",
    "eng": "call me 06155500{:02d}",
}


def answer_episode(participant: InventedParticipant, dataset: str, chance: Random) -> InventedAnswer:
    """Write a participant's message about an episode."""
    match draw(chance, _EPISODE_ANSWERS):
        case "theme":
            return _themes(participant, dataset, chance)
        case "meta":
            return _general(draw(chance, _METAS), participant, chance)
        case "elsewhere":
            other = chance.choice([name for name in ("gender", "age", "location", *_EPISODES) if name != dataset])
            return answer_rightly(participant, other, chance)
        case kind:
            return _nothing_to_code(kind, participant, chance)


def answer_question(participant: InventedParticipant, dataset: str, chance: Random) -> InventedAnswer:
    """Write a participant's answer to a survey question."""
    match draw(chance, _SURVEY_ANSWERS):
        case "right":
            return answer_rightly(participant, dataset, chance)
        case "greeting":
            return _general("greeting", participant, chance)
        case "elsewhere":
            other = chance.choice([name for name in (*DEMOGRAPHIC_FIELDS[:3], *_EPISODES) if name != dataset])
            return answer_rightly(participant, other, chance)
        case kind:
            return _nothing_to_code(kind, participant, chance)


def answer_rightly(participant: InventedParticipant, dataset: str, chance: Random) -> InventedAnswer:
    """Write an answer to the question of a dataset, and to no other."""
    match dataset:
        case "age":
            text, meaning = _age(participant, chance)
        case "location":
            text, meaning = chance.choice(participant.place.spellings), {dataset: (participant.place.code,)}
        case "gender":
            text, meaning = _gender(participant, chance)
        case "household_language":
            text, meaning = _listed(dataset, participant.household_language, participant, chance)
        case "recently_displaced":
            text, meaning = _listed(dataset, "yes" if participant.is_displaced else "no", participant, chance)
        case "show_helpful":
            text, meaning = _listed(dataset, participant.finds_show_helpful, participant, chance)
        case _:
            return _themes(participant, dataset, chance)
    return InventedAnswer(mess_up(text, chance), meaning)


def _age(participant: InventedParticipant, chance: Random) -> tuple[str, Meaning]:
    if chance.random() < 0.03:
        return _listed("age", "NC", participant, chance)
    return write_age(participant.age, participant.language, chance), {"age": (str(participant.age),)}


def _gender(participant: InventedParticipant, chance: Random) -> tuple[str, Meaning]:
    text, meaning = _listed("gender", participant.gender, participant, chance)
    if chance.random() < 0.06:  # people like to say everything at once
        return f"{text} {participant.age}", {**meaning, "age": (str(participant.age),)}
    return text, meaning


def _themes(participant: InventedParticipant, dataset: str, chance: Random) -> InventedAnswer:
    weights = _theme_weights(dataset, participant.gender)
    count = draw(chance, {1: 66, 2: 27, 3: 7})
    codes = list(dict.fromkeys(draw(chance, weights) for _ in range(count)))
    sentences = []
    for code in codes:
        # Some sentences exist only in other languages, and some people mix languages.
        language = participant.language if chance.random() > 0.08 else draw(chance, {"som": 2, "eng": 1})
        sentences.append(chance.choice(_texts(dataset, code, language)))
    if chance.random() < 0.14:
        sentences.insert(0, chance.choice(_texts(ANY_DATASET, "greeting", participant.language)))
    if chance.random() < 0.07:
        sentences.append(chance.choice(_texts(ANY_DATASET, "gratitude", participant.language)))
        codes.append("gratitude")
    if chance.random() < 0.2:
        sentences.append(chance.choice(participant.place.spellings))
    if chance.random() < 0.01:
        sentences.append(_NUMBER_TO_CALL[participant.language].format(participant.number % 100))
    text = chance.choice((" ", ", ", ". ", " oo ", "\n")).join(sentences)
    return InventedAnswer(mess_up(text, chance), {dataset: tuple(codes)})


def _general(code: str, participant: InventedParticipant, chance: Random) -> InventedAnswer:
    text, meaning = _listed(ANY_DATASET, code, participant, chance)
    return InventedAnswer(mess_up(text, chance), meaning)


def _nothing_to_code(kind: str, participant: InventedParticipant, chance: Random) -> InventedAnswer:
    if kind == "null":
        return InventedAnswer(None)
    if kind == "empty":
        return InventedAnswer(chance.choice(_BLANK_TEXTS), {ANY_DATASET: ("NC",)})
    return _general(kind, participant, chance)


def _listed(dataset: str, code: str, participant: InventedParticipant, chance: Random) -> tuple[str, Meaning]:
    return chance.choice(_texts(dataset, code, participant.language)), {dataset: (code,)}


def _texts(dataset: str, code: str, language: str) -> tuple[str, ...]:
    by_language = _texts_by_language()[dataset, code]
    return by_language.get(language) or next(iter(by_language.values()))


@functools.cache
def _texts_by_language() -> Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]]:
    texts: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}
    for row in read_table(__package__, "answers"):
        by_language = texts.setdefault((row["dataset"], row["code"]), {})
        by_language[row["language"]] = (*by_language.get(row["language"], ()), row["text"])
    return texts


@functools.cache
def _theme_weights(dataset: str, gender: str) -> Mapping[str, float]:
    return {row["code"]: float(row[gender]) for row in read_table(__package__, "themes") if row["dataset"] == dataset}
