"""The sandbox's coders label messages in Coda like careful people, with occasional slips and delays.

They know each text's meaning from the sandbox, but only see messages in Coda. Their labels follow from the seed, the
round and the messages.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from engagement.configuration import CodingMode, CodingPlan, CodingPlans
from engagement.configuration.code_schemes import Code, CodeScheme
from engagement.sandbox.answers import ANY_DATASET, Meaning
from engagement.sandbox.chance import random_for
from engagement.sandbox.season import end_of_round
from engagement.services.coda.format import MessageDocument, write_time

DATASET_PREFIX = "DEMO_"
UNCODED = "SPECIAL-MANUALLY_UNCODED"
_JOINED_BY = "; "  # between answers that the pipeline joined
_WRONG_SCHEME, _STOP, _CONTRADICTION, _NOT_CODED = "WS", "STOP", "NIC", "NC"
_LEFT_FOR_LATER = 0.05
_TAKEN_OFF = 0.02
_SECOND_THOUGHTS = 0.05
_FORGOTTEN_DATASET = 0.02  # WS without its correct dataset: a coding error


@dataclass(frozen=True)
class Coders:
    """The coders, their knowledge and the time; `users` are their e-mail addresses."""

    seed: int
    round_number: int
    users: Sequence[str]
    plans: CodingPlans
    meanings: Mapping[str, Meaning]

    def label_messages(self, plan: CodingPlan, messages: Sequence[MessageDocument]) -> list[MessageDocument]:
        """Label a plan's unlabelled messages; return those that got labels, otherwise unchanged."""
        labelled = []
        for position, message in enumerate(messages):
            if any(_is_manual(label) for label in message["Labels"]):
                continue
            labels = self._labels_for(plan, message, position)
            if labels:
                labelled.append({**message, "Labels": [*reversed(labels), *message["Labels"]]})
        return labelled

    def _labels_for(self, plan: CodingPlan, message: MessageDocument, position: int) -> list[dict[str, Any]]:
        """Return the labels for one message, in the order in which they are made."""
        chance = random_for(self.seed, "coder", plan.coda_dataset, self.round_number, message["MessageID"])
        steps = list(self._decide(plan, message["Text"], chance))
        if not steps or chance.random() < _LEFT_FOR_LATER:
            return []
        user = chance.choice(self.users)
        began = end_of_round(self.round_number) + timedelta(hours=5, seconds=20 * position)
        return [
            {
                "SchemeID": scheme_id,
                "CodeID": code_id,
                "DateTimeUTC": write_time(began + timedelta(seconds=3 * step)),
                "Checked": code_id != UNCODED,
                "Confidence": 1,
                "Origin": {"OriginID": user, "Name": _name_of(user), "OriginType": "Manual"},
            }
            for step, (scheme_id, code_id) in enumerate(steps)
        ]

    def _decide(self, plan: CodingPlan, text: str, chance: Random) -> Iterator[tuple[str, str]]:
        """Give the codes that a coder ticks and unticks for a text, in order: SchemeID and CodeID."""
        meaning = understand(text, self.meanings)
        codes = _codes_in(_without_prefix(plan), meaning)
        if codes is None:
            yield from self._wrong_scheme(plan, meaning, chance)
        elif plan.coding_configurations[0].coding_mode is CodingMode.MULTIPLE:
            yield from _several_themes(plan.coding_configurations[0].code_scheme, codes, chance)
        else:
            yield from _one_code(plan, codes[0] if len(codes) == 1 else _CONTRADICTION, chance)

    def _wrong_scheme(self, plan: CodingPlan, meaning: Meaning, chance: Random) -> Iterator[tuple[str, str]]:
        ws_scheme = self.plans.ws_correct_dataset_scheme
        right_plan = next((other for other in self.plans.all if _without_prefix(other) in meaning), None)
        if ws_scheme is None or right_plan is None or right_plan.ws_code is None:
            return
        yield _find_code(plan, _WRONG_SCHEME)
        if chance.random() >= _FORGOTTEN_DATASET:
            yield ws_scheme.scheme_id, right_plan.ws_code.code_id


def understand(text: str, meanings: Mapping[str, Meaning]) -> Meaning:
    """Return the meaning of a text, or of joined answers together; empty if unknown.

    >>> understand("wiil; 25", {"wiil": {"gender": ("man",)}, "25": {"age": ("25",)}})
    {'gender': ('man',), 'age': ('25',)}
    """
    if text in meanings:
        return meanings[text]
    together: dict[str, tuple[str, ...]] = {}
    for part in text.split(_JOINED_BY):
        for dataset, codes in meanings.get(part, {}).items():
            together[dataset] = tuple(dict.fromkeys((*together.get(dataset, ()), *codes)))
    return together


def _codes_in(dataset: str, meaning: Meaning) -> tuple[str, ...] | None:
    """Return a meaning's codes in a dataset; None if it belongs to another one, or is unknown."""
    anywhere = meaning.get(ANY_DATASET, ())
    if _STOP in anywhere:  # whatever else was said
        return (_STOP,)
    return meaning.get(dataset) or anywhere or None


def _several_themes(scheme: CodeScheme, codes: Sequence[str], chance: Random) -> Iterator[tuple[str, str]]:
    themes = {code.string_value: code for code in scheme.codes}
    for number, value in enumerate(codes):
        yield _copy_id(scheme, number), themes[value].code_id
    if _STOP in codes:
        return  # coders take most care with those
    if chance.random() < _SECOND_THOUGHTS:
        other = chance.choice([code for code in scheme.codes if code.is_normal and code.string_value not in codes])
        yield _copy_id(scheme, len(codes)), other.code_id
        yield _copy_id(scheme, len(codes)), UNCODED
    if len(codes) == 1 and chance.random() < _TAKEN_OFF:
        yield scheme.scheme_id, UNCODED


def _one_code(plan: CodingPlan, value: str, chance: Random) -> Iterator[tuple[str, str]]:
    scheme_id, code_id = _find_code(plan, value)
    if chance.random() < _SECOND_THOUGHTS:
        yield scheme_id, chance.choice(_other_codes(plan, scheme_id, code_id)).code_id
    yield scheme_id, code_id
    if value != _STOP and chance.random() < _TAKEN_OFF:
        yield scheme_id, UNCODED


def _find_code(plan: CodingPlan, value: str) -> tuple[str, str]:
    """Find the plan's first scheme in Coda with the code: for places, the finest level.

    A text without such a code can't be coded: NC.
    """
    shown = [configuration.code_scheme for configuration in plan.coding_configurations if configuration.in_coda]
    found = {code.string_value: (scheme.scheme_id, code.code_id) for scheme in reversed(shown) for code in scheme.codes}
    return found.get(value) or found[_NOT_CODED]


def _other_codes(plan: CodingPlan, scheme_id: str, without: str) -> list[Code]:
    scheme = next(
        configuration.code_scheme
        for configuration in plan.coding_configurations
        if configuration.code_scheme.scheme_id == scheme_id
    )
    return [code for code in scheme.codes if code.is_normal and code.code_id != without]


def _copy_id(scheme: CodeScheme, number: int) -> str:
    return f"{scheme.scheme_id}-{number}" if number else scheme.scheme_id


def _without_prefix(plan: CodingPlan) -> str:
    return (plan.coda_dataset or "").removeprefix(DATASET_PREFIX)


def _is_manual(label: dict[str, Any]) -> bool:
    return bool(label.get("Origin", {}).get("OriginType") == "Manual")


def _name_of(user: str) -> str:
    return f"{user.partition('@')[0].title()} Coder"
