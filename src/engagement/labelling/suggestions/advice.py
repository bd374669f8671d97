"""Whether suggestions are worth having, as an owner decides it from replayed days."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from engagement.labelling.suggestions.day_by_day import Day, add_up
from engagement.labelling.suggestions.suggestions import SuggestionSettings
from engagement.labelling.suggestions.thresholds import wilson

_LEAST_SAVED = 0.05
# Coders are wrong in up to one of ten labels, which makes right suggestions look wrong.
_ALLOWED_FOR_CODERS = 0.9


class Recommendation(StrEnum):
    """What to do about suggestions for a scheme."""

    WORTH_IT = "worth it"
    NOT_WORTH_IT = "not worth it"
    TOO_EARLY = "too early to tell"


@dataclass(frozen=True)
class Advice:
    """A verdict and its reason; `days` are those on which there could be suggestions, added up."""

    verdict: Recommendation
    reason: str
    days: Day


def advise(days: Sequence[Day], settings: SuggestionSettings) -> Advice:
    """Judge suggestions by the days on which enough had been labelled before."""
    late = [day for day in days if day.labelled_before >= settings.minimum_labelled]
    total = add_up(late)
    if not late:
        labelled = sum(day.messages for day in days)
        reason = (
            f"{labelled} labelled; expected a day with {settings.minimum_labelled} labelled before it (MinimumLabelled)"
        )
        return Advice(Recommendation.TOO_EARLY, reason, total)
    if not total.suggested:
        return Advice(Recommendation.NOT_WORTH_IT, late[-1].why_none or "no text was sure enough", total)
    chosen = wilson(total.right, total.suggested)
    if chosen is not None and chosen.high < settings.precision * _ALLOWED_FOR_CODERS:
        reason = f"coders chose only {chosen.share:.0%} of the suggested codes; expected {settings.precision:.0%}"
        return Advice(Recommendation.NOT_WORTH_IT, reason, total)
    if total.saved < _LEAST_SAVED:
        reason = f"they save fewer than {_LEAST_SAVED:.0%} of the clicks"
        if why_none := late[-1].why_none:
            reason += f"; on the last day there were none, as {why_none}"
        return Advice(Recommendation.NOT_WORTH_IT, reason, total)
    return Advice(Recommendation.WORTH_IT, "", total)


def say(advice: Advice, labelled: int) -> str:
    """Say what suggestions would have been worth with these labels, and what to do.

    >>> day = Day("all days", 100, 300, 60, 57, 200, 140)
    >>> say(Advice(Recommendation.WORTH_IT, "", day), 400)
    'With these 400 labels it would have saved 60 of 200 clicks (30 %); coders chose 57 of the 60 suggested codes. Worth it.'
    >>> say(Advice(Recommendation.TOO_EARLY, "40 labelled; expected 200", day), 40)
    'Too early to tell: 40 labelled; expected 200.'
    """
    verdict = str(advice.verdict)
    verdict = verdict[0].upper() + verdict[1:] + (f": {advice.reason}." if advice.reason else ".")
    if advice.verdict is Recommendation.TOO_EARLY:
        return verdict
    day = advice.days
    saved = day.clicks_alone - day.clicks_helped
    return (
        f"With these {labelled} labels it would have saved {saved} of {day.clicks_alone} clicks ({100 * day.saved:.0f} %); coders chose "
        f"{day.right} of the {day.suggested} suggested codes. {verdict}"
    )
