"""Flows and their results -> a project's questions: answers to episodes, demographics, follow-ups.

A flow is an activation flow, one that receives answers to an episode, when its name says "activation" or one of its results is
called "rqa…"; every other flow is a survey.
"""

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engagement.configuration import PlanKind
from engagement.configuration.nearest import nearest
from engagement.desk.projects.topics import Topic, find_topic
from engagement.foundation.errors import UsageError, listing

_EPISODE_MARK = "rqa"
_NOT_A_KEY = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class AskedResult:
    """A result of a flow: RapidPro's key of it, and the categories that the flow sorts answers into."""

    key: str
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class AnswerFlow:
    """A flow to take answers from."""

    name: str
    results: tuple[AskedResult, ...]
    is_activation: bool


@dataclass(frozen=True)
class ProjectQuestion:
    """A question of the project. `asked_in` has each flow that asks it, with the result's key there."""

    name: str
    kind: PlanKind
    asked_in: tuple[tuple[str, str], ...]
    categories: tuple[str, ...]

    @property
    def topic(self) -> Topic:
        """Topic of the question, by its name and its categories."""
        return find_topic(self.name, self.categories)


def make_key(name: str) -> str:
    """Make RapidPro's key from a result's name.

    >>> make_key("Rqa_S01E01 Raw")
    'rqa_s01e01_raw'
    """
    return _NOT_A_KEY.sub("_", name.casefold()).strip("_")


def looks_like_activation(name: str, results: Iterable[AskedResult]) -> bool:
    """Check if a flow receives answers to an episode, by its name and its results' names."""
    return "activation" in make_key(name).split("_") or any(_is_of_episode(result) for result in results)


def _is_of_episode(result: AskedResult) -> bool:
    return result.key.startswith(_EPISODE_MARK)


def choose_flows(
    listed: Mapping[str, tuple[AskedResult, ...]], kinds: Mapping[str, bool], patterns: Sequence[str], where: str
) -> list[AnswerFlow]:
    """Choose a workspace's flows: those of `kinds` (name -> is an activation flow) and of the patterns.

    Without either, takes all that have results. Skips flows of the patterns without results.

    Raises
    ------
    UsageError
        No such flow exists, or a flow has an unusable name or no results.
    """
    patterns = patterns or ([] if kinds else ["*"])
    problems = [
        f"no flow {name!r}{nearest(name, listed)} Check the name."
        for name in (*kinds, *patterns)
        if not _match(name, listed)
    ]
    names = [*kinds, *(name for pattern in patterns for name in _match(pattern, listed) if listed[name])]
    problems += [
        f"flow {name!r} has no results; expected questions. Leave it out." for name in kinds if listed.get(name) == ()
    ]
    problems += [
        f"flow {name!r} can't be the name of a file; expected none with '/'. Rename it in RapidPro."
        for name in names
        if "/" in name
    ]
    if not names and not problems:
        problems.append("no flow has results; expected questions. Check whose token it is.")
    if problems:
        raise UsageError(f"{where}: {listing(problems)}")
    return [
        AnswerFlow(name, listed[name], kinds.get(name, looks_like_activation(name, listed[name])))
        for name in dict.fromkeys(names)
    ]


def _match(pattern: str, names: Mapping[str, object]) -> list[str]:
    # A flow's own name can hold special characters of patterns.
    return [pattern] if pattern in names else sorted(fnmatch.filter(names, pattern))


def name_question(key: str) -> str:
    """Name the question that a result answers.

    >>> name_question("rqa_s01e01_raw"), name_question("gender")
    ('s01e01', 'gender')
    """
    return make_key(key).removeprefix(_EPISODE_MARK).removesuffix("_raw").strip("_") or make_key(key)


def collect_questions(flows: Sequence[AnswerFlow]) -> tuple[list[ProjectQuestion], list[str]]:
    """List the flows' questions, each once, episodes first, and the results left out, with the reason."""
    found: dict[tuple[bool, str], list[tuple[AnswerFlow, AskedResult]]] = {}
    left_out = []
    for flow in flows:
        of_episode = [result for result in flow.results if _is_of_episode(result)] or list(flow.results)
        for result in flow.results:
            if flow.is_activation and result not in of_episode:
                # It would be in that message only, and differ between messages of a participant.
                left_out.append(f"{result.key!r} of {flow.name!r}: no answer to an episode, in a flow of an episode")
            else:
                found.setdefault((flow.is_activation, name_question(result.key)), []).append((flow, result))
    episodes = {name for is_activation, name in found if is_activation}
    questions = []
    for (is_activation, name), places in found.items():
        categories = tuple(dict.fromkeys(category for _, result in places for category in result.categories))
        is_taken = not is_activation and name in episodes
        questions.append(
            ProjectQuestion(
                f"{name}_answer" if is_taken else name,
                PlanKind.RQA if is_activation else _kind_of_survey(name, categories, [flow for flow, _ in places]),
                tuple((flow.name, result.key) for flow, result in places),
                categories,
            )
        )
    order = (PlanKind.RQA, PlanKind.DEMOGRAPHIC, PlanKind.FOLLOW_UP)
    return sorted(questions, key=lambda question: order.index(question.kind)), left_out


def _kind_of_survey(name: str, categories: Sequence[str], flows: Sequence[AnswerFlow]) -> PlanKind:
    is_about_participants = find_topic(name, categories) not in (Topic.OPEN, Topic.YES_NO, Topic.CLOSED)
    if is_about_participants or any("demog" in flow.name.casefold() for flow in flows):
        return PlanKind.DEMOGRAPHIC
    return PlanKind.FOLLOW_UP
