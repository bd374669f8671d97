"""Participants' runs over the whole season, and their state at a given time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from engagement.sandbox.answers import InventedAnswer, answer_episode, answer_question
from engagement.sandbox.chance import random_for, uuid_for
from engagement.sandbox.participants import InventedParticipant, Role, Survey
from engagement.sandbox.season import (
    DEMOGRAPHIC_FIELDS,
    DEMOGRAPHICS_FLOW,
    EPISODES,
    EVALUATION_FIELDS,
    EVALUATION_FLOW,
    EVALUATION_OPENS,
    FLOWS_BY_NAME,
    ROUND_ZERO_ENDS,
    InventedEpisode,
    activation_flow,
)

_MESSAGES_OF_PROLIFIC = 14  # an episode


@dataclass(frozen=True)
class InventedResult:
    """The answer to one question of a run."""

    key: str
    answer: InventedAnswer
    time: datetime


@dataclass(frozen=True)
class InventedRun:
    """One participant's run through a flow; `completed_on` is None if it is never completed."""

    uuid: str
    participant: InventedParticipant
    flow: str
    created_on: datetime
    results: tuple[InventedResult, ...]
    completed_on: datetime | None
    expires: bool


@dataclass(frozen=True)
class RunState:
    """A run's state at a given time."""

    run: InventedRun
    results: tuple[InventedResult, ...]
    modified_on: datetime
    exited_on: datetime | None
    exit_type: str | None


def make_runs(seed: int, participants: Sequence[InventedParticipant]) -> tuple[InventedRun, ...]:
    """Create all runs of the season, oldest first; ids follow this order."""
    runs = [run for participant in participants for run in _runs_of(seed, participant)]
    return tuple(sorted(runs, key=lambda run: (run.created_on, run.uuid)))


def state_of_run(run: InventedRun, now: datetime) -> RunState | None:
    """Return a run's state at `now`; None if it has not begun."""
    if run.created_on > now:
        return None
    results = tuple(result for result in run.results if result.time <= now)
    if run.completed_on is not None and run.completed_on <= now:
        return RunState(run, results, run.completed_on, run.completed_on, "completed")
    last = max((result.time for result in results), default=run.created_on)
    expired_on = _next_expiry(last + FLOWS_BY_NAME[run.flow].expires_after)
    if run.expires and expired_on <= now:
        return RunState(run, results, expired_on, expired_on, "expired")
    return RunState(run, results, last, None, None)


def _next_expiry(moment: datetime) -> datetime:
    """Return the nightly sweep that expires a run; all runs of a night get the same time."""
    sweep = moment.replace(hour=2, minute=0, second=7, microsecond=412_905)
    return sweep if sweep >= moment else sweep + timedelta(days=1)


def _runs_of(seed: int, participant: InventedParticipant) -> Iterator[InventedRun]:
    chance = random_for(seed, "runs", participant.number)
    for number, (flow, created_on, results, completed_on, expires) in enumerate(
        _ways_through_flows(participant, chance)
    ):
        if participant.deleted_on is None or created_on < participant.deleted_on:
            uuid = uuid_for(seed, "run", participant.number, number)
            yield InventedRun(uuid, participant, flow, created_on, results, completed_on, expires)


_Way = tuple[str, datetime, tuple[InventedResult, ...], datetime | None, bool]


def _ways_through_flows(participant: InventedParticipant, chance: Random) -> Iterator[_Way]:
    if participant.answers_episodes:
        for episode in EPISODES:
            yield from _answers_to(episode, participant, chance)
    if participant.role is Role.EARLY:
        yield _activation("s01e01", participant, participant.joined_on, chance)
    if participant.survey is not Survey.NEVER:
        yield _demographics(participant, chance)
        if chance.random() < 0.05:
            yield _demographics(participant, chance)
    if participant.answers_evaluation:
        opened = max(EVALUATION_OPENS, participant.joined_on) + _within_days(chance, 14)
        yield _survey(EVALUATION_FLOW, EVALUATION_FIELDS, participant, opened, chance)


def _answers_to(episode: InventedEpisode, participant: InventedParticipant, chance: Random) -> Iterator[_Way]:
    weight = episode.weight * (1.15 if participant.gender == "woman" and episode.dataset == "s01e02" else 1)
    count = 0
    if participant.role is Role.PROLIFIC:
        count = _MESSAGES_OF_PROLIFIC
    elif chance.random() < weight or participant.survey is Survey.NEVER:
        count = 1 + (chance.random() < 0.2) + (chance.random() < 0.06)
    for _ in range(count):
        created_on = max(episode.aired_on, participant.joined_on) + _after_broadcast(chance)
        yield _activation(episode.dataset, participant, created_on, chance)


def _activation(dataset: str, participant: InventedParticipant, created_on: datetime, chance: Random) -> _Way:
    flow = activation_flow(dataset)
    if chance.random() < 0.08:  # triggered, and never answered
        return flow, created_on, (), None, True
    answered_on = created_on + timedelta(seconds=1 + chance.randrange(4), microseconds=chance.randrange(10**6))
    answer = answer_episode(participant, dataset, chance)
    completed_on = answered_on + timedelta(microseconds=chance.randrange(1000, 400_000))
    return flow, created_on, (InventedResult(f"rqa_{dataset}", answer, answered_on),), completed_on, True


def _demographics(participant: InventedParticipant, chance: Random) -> _Way:
    opened = participant.joined_on + timedelta(minutes=2) + _within_days(chance, 6)
    return _survey(DEMOGRAPHICS_FLOW, DEMOGRAPHIC_FIELDS, participant, opened, chance)


def _survey(flow: str, keys: Sequence[str], participant: InventedParticipant, opened: datetime, chance: Random) -> _Way:
    slowly = participant.survey is Survey.SLOWLY
    asked = list(keys)
    if participant.survey is Survey.PARTLY or chance.random() < 0.06:
        asked = asked[: chance.randrange(len(asked))]
    time, results = opened, []
    for position, key in enumerate(asked):
        time += timedelta(seconds=chance.randrange(15, 900), microseconds=chance.randrange(10**6))
        if slowly and position == 2:
            # Most continue in one of the first rounds, so later rounds have newly completed surveys.
            time = max(time, ROUND_ZERO_ENDS) if chance.random() < 0.8 else time + timedelta(days=14)
            time += _within_days(chance, 5)
        if chance.random() < 0.02:
            time = time.replace(microsecond=0)
        results.append(InventedResult(key, answer_question(participant, key, chance), time))
    completed_on = time + timedelta(milliseconds=180) if len(asked) == len(keys) else None
    return flow, opened, tuple(results), completed_on, not slowly


def _after_broadcast(chance: Random) -> timedelta:
    """Draw a reply time: many within the hour, the others in the evenings of the following days."""
    if chance.random() < 0.45:
        return timedelta(seconds=chance.expovariate(1 / 1500))
    return timedelta(days=int(chance.expovariate(0.28)) % 20, seconds=chance.gauss(4 * 3600, 6000) % 86_400)


def _within_days(chance: Random, days: int) -> timedelta:
    return timedelta(days=chance.randrange(days), seconds=chance.randrange(12 * 3600))
