"""What suggestions would have been worth, had they been made every day from the first.

Each day's messages get the suggestions that the labels of all days before teach. What coders chose then tells which are right. Blind
messages get none here either. Choosing a code takes two clicks, to open the list and to choose; ticking a suggestion takes one, and so
does taking one off where a message may have several codes.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engagement.configuration import CodeScheme
from engagement.labelling.suggestions.examples import read_labelled_texts
from engagement.labelling.suggestions.suggestions import SuggestionSettings, suggest

_CLICKS_OF_A_CHOICE = 2


@dataclass(frozen=True)
class Day:
    """One day of one scheme. `suggested` and `right` count codes; clicks are coders'.

    `why_none` says why nothing was suggested.
    """

    day: str
    messages: int
    labelled_before: int
    suggested: int
    right: int
    clicks_alone: int
    clicks_helped: int
    why_none: str | None = None

    @property
    def saved(self) -> float:
        """Give the share of clicks that suggestions would have saved."""
        return 1 - self.clicks_helped / self.clicks_alone if self.clicks_alone else 0.0


def replay_days(
    messages: Sequence[Mapping[str, Any]], scheme: CodeScheme, is_multiple: bool, settings: SuggestionSettings
) -> Iterator[Day]:
    """Suggest for each day with labelled messages what the days before teach."""
    chosen = {one.message_id: set(one.codes) for one in read_labelled_texts(messages, scheme, is_multiple).examples}
    by_day: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for message in messages:
        if message["MessageID"] in chosen:
            by_day[str(message.get("CreationDateTimeUTC", ""))[:10]].append(message)
    before: list[Mapping[str, Any]] = []
    for day, new in sorted(by_day.items()):
        offered: dict[str, list[tuple[str, float]]] = {}
        why_none = None
        if len(before) >= settings.minimum_labelled:
            bare = [_without_labels(message, scheme) for message in new]
            found = suggest(read_labelled_texts([*before, *bare], scheme, is_multiple), settings)
            offered, why_none = found.suggested, found.why_none
        counted = _count(day, len(before), new, chosen, offered, is_multiple)
        yield replace(counted, why_none=why_none)
        before += new


def add_up(days: Sequence[Day]) -> Day:
    """Add up days."""
    return Day(
        "all days",
        sum(day.messages for day in days),
        max((day.labelled_before for day in days), default=0),
        sum(day.suggested for day in days),
        sum(day.right for day in days),
        sum(day.clicks_alone for day in days),
        sum(day.clicks_helped for day in days),
    )


def _without_labels(message: Mapping[str, Any], scheme: CodeScheme) -> Mapping[str, Any]:
    return {**message, "Labels": [label for label in message["Labels"] if not scheme.owns(label["SchemeID"])]}


def _count(
    day: str,
    labelled_before: int,
    new: Sequence[Mapping[str, Any]],
    chosen: Mapping[str, set[str]],
    offered: Mapping[str, Sequence[tuple[str, float]]],
    is_multiple: bool,
) -> Day:
    suggested = right = alone = helped = 0
    for message in new:
        codes = chosen[message["MessageID"]]
        offer = {code for code, _ in offered.get(message["MessageID"], ())}
        suggested += len(offer)
        right += len(offer & codes)
        alone += _CLICKS_OF_A_CHOICE * len(codes)
        helped += len(codes & offer) + _CLICKS_OF_A_CHOICE * len(codes - offer)
        helped += len(offer - codes) if is_multiple else 0
    return Day(day, len(new), labelled_before, suggested, right, alone, helped)
