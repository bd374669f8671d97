"""Suggest labels of one scheme, or abstain and say why."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy

from engagement.configuration import Code, ControlCode
from engagement.labelling.suggestions.examples import LabelledTexts, OpenText, is_blind
from engagement.labelling.suggestions.features import has_words
from engagement.labelling.suggestions.models import FEWEST_OF_A_CODE, Learnt, choose_codes, learn
from engagement.labelling.suggestions.thresholds import (
    Interval,
    Judged,
    find_coder_error,
    find_threshold,
    wilson,
)

RECIPE = 1
"""Version of how suggestions are made; part of their OriginID."""

_NAME = "Pipeline Suggestions"
_MOST_RANKED = 5
_MOST_OF_A_TEXT = 3
_MOST_TO_READ = 100
_LIKELY_CONTROL = 0.2
# Chances this small are never suggested.
_LEAST_JUDGED = 0.3
_FEWEST_OF_A_THEME = 5
_LOOKED_FOR = (ControlCode.STOP, ControlCode.WS)


@dataclass(frozen=True)
class SuggestionSettings:
    """What a project wants: the precision, the labels before the first suggestion, the blind share."""

    precision: float = 0.9
    minimum_labelled: int = 200
    blind_share: float = 0.1


@dataclass
class SchemeSuggestions:
    """What is suggested under one scheme. `why_none` says why nothing is.

    `ranked` has for each text without a label its likeliest codes with their chances, best first; `look_first` and `teach_most` are the
    ids of messages that coders should see first. Confidences that are judged come from models that had not seen the label.
    """

    labelled: LabelledTexts
    why_none: str | None = None
    threshold: float | None = None
    suggested: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    ranked: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    look_first: list[str] = field(default_factory=list)
    teach_most: list[str] = field(default_factory=list)
    few_examples: list[str] = field(default_factory=list)
    expected: Interval | None = None
    blind: Interval | None = None
    blind_coverage: Interval | None = None
    kept: Interval | None = None
    coder_error: float = 0.0
    blind_ids: list[str] = field(default_factory=list)

    @property
    def are_followed_blindly(self) -> bool:
        """True if coders keep suggestions more often than unaided coders agree, beyond chance."""
        return self.kept is not None and self.blind is not None and self.kept.low > self.blind.high


def suggest(
    labelled: LabelledTexts, settings: SuggestionSettings, learn: Callable[[LabelledTexts], Learnt] = learn
) -> SchemeSuggestions:
    """Learn from a dataset's labels, or have `learn` find what was learnt, and suggest labels."""
    found = SchemeSuggestions(labelled, kept=wilson(labelled.kept, labelled.followed))
    found.coder_error = find_coder_error(labelled.double_coded, labelled.differing)
    found.blind_ids = [one.message_id for one in labelled.open_texts if is_blind(one.message_id, settings.blind_share)]
    counts = Counter(code for example in labelled.examples for code in example.codes)
    themes = [code for code in labelled.scheme.codes if _is_theme(code)]
    found.few_examples = [code.code_id for code in themes if counts[code.code_id] < _FEWEST_OF_A_THEME]
    if sum(counts[code.code_id] > 0 for code in labelled.scheme.codes) < 2:
        number = len(labelled.examples)
        found.why_none = f"all {number} labelled texts have one code" if number else "no text is labelled yet"
        found.ranked = {one.message_id: [] for one in labelled.open_texts}
        return found
    if len(choose_codes(labelled)) < 2:
        found.why_none = f"fewer than two codes have {FEWEST_OF_A_CODE} examples"
        found.ranked = {one.message_id: [] for one in labelled.open_texts}
        return found
    learnt = learn(labelled)
    _rank(found, learnt, themes)
    if len(labelled.examples) < settings.minimum_labelled:
        found.why_none = (
            f"{len(labelled.examples)} labelled; expected {settings.minimum_labelled} before the first suggestion"
        )
        return found
    _judge(found, learnt, themes, settings)
    if found.threshold is None:
        found.why_none = (
            found.why_none
            or f"no confidence is right in {settings.precision:.0%} of cases on labels that it had not seen"
        )
        return found
    _choose(found, set(found.blind_ids), found.threshold)
    return found


def make_labels(found: SchemeSuggestions, message_id: str, created: str) -> Iterator[dict[str, Any]]:
    """Make a message's suggested labels, in Coda's format, under the scheme and its copies in turn."""
    for scheme_id, (code, chance) in zip(found.labelled.copies, found.suggested.get(message_id, ()), strict=False):
        yield {
            "Checked": False,
            "CodeID": code,
            "Confidence": chance,
            "DateTimeUTC": created,
            "Origin": {"Name": _NAME, "OriginID": f"suggestion:{RECIPE}", "OriginType": "External"},
            "SchemeID": scheme_id,
        }


def describe(found: SchemeSuggestions) -> Mapping[str, Any]:
    """Describe what is suggested under a scheme, and how sure that is, as JSON."""
    labelled = found.labelled
    return {
        "labelled": len(labelled.examples),
        "unlabelled": len(labelled.open_texts),
        "suggested": len(found.suggested),
        "why_none": found.why_none,
        "threshold": found.threshold,
        "expected_precision": _interval(found.expected),
        "blind_precision": _interval(found.blind),
        "blind_coverage": _interval(found.blind_coverage),
        "kept_by_coders": _interval(found.kept),
        "coders_follow": found.are_followed_blindly,
        "coder_error": round(found.coder_error, 4),
        "double_coded": labelled.double_coded,
        "few_examples": found.few_examples,
    }


def _interval(interval: Interval | None) -> Mapping[str, float] | None:
    return None if interval is None else {name: round(value, 4) for name, value in interval._asdict().items()}


def _is_theme(code: Code) -> bool:
    return code.control_code is None


def _rank(found: SchemeSuggestions, learnt: Learnt, themes: Sequence[Code]) -> None:
    """Order the codes of each open text, and find the texts that coders should see first."""
    texts, codes = found.labelled.open_texts, learnt.model.codes
    chances = learnt.model.chances([one.text for one in texts])
    theme_ids = {code.code_id for code in themes}
    theme_columns = [at for at, code in enumerate(codes) if code in theme_ids]
    controls = [code.code_id for code in found.labelled.scheme.codes if code.control_code in _LOOKED_FOR]
    control_columns = [at for at, code in enumerate(codes) if code in controls]
    risk = chances[:, control_columns].sum(axis=1)
    # Of codes with the same chance, the scheme's first comes first.
    places = numpy.argsort(-chances[:, theme_columns], axis=1, kind="stable")[:, :_MOST_RANKED]
    columns = numpy.array(theme_columns, int)[places]
    best = numpy.take_along_axis(chances, columns, 1)
    for one, numbers, shares in zip(texts, columns.tolist(), best.tolist(), strict=True):
        ranked = zip(numbers, shares, strict=True) if has_words(one.text) else ()
        found.ranked[one.message_id] = [(codes[number], share) for number, share in ranked if share > 0]
    likely = [(-risk[at], one.message_id) for at, one in enumerate(texts) if risk[at] >= _LIKELY_CONTROL]
    found.look_first = [message_id for _, message_id in sorted(likely)]
    unsure = [(_margin(found.ranked[one.message_id]), one.message_id) for one in texts if _is_unsure(one, found)]
    found.teach_most = [message_id for _, message_id in sorted(unsure)][:_MOST_TO_READ]


def _is_unsure(one: OpenText, found: SchemeSuggestions) -> bool:
    return one.is_open and len(found.ranked[one.message_id]) > 1


def _margin(ranked: Sequence[tuple[str, float]]) -> float:
    return round(ranked[0][1] - ranked[1][1], 4)


def _judge(found: SchemeSuggestions, learnt: Learnt, themes: Sequence[Code], settings: SuggestionSettings) -> None:
    """Find the threshold, and compare with what coders chose unaided."""
    theme_ids = {code.code_id for code in themes} - _too_rare(found)
    columns = numpy.array([code in theme_ids for code in learnt.model.codes])
    judged = _judged(learnt, columns, settings)
    threshold = find_threshold(
        judged, settings.precision, len(learnt.examples), found.coder_error, learnt.model.is_multiple
    )
    found.threshold = threshold.confidence
    if threshold.contradicted is not None:
        found.blind = threshold.contradicted
        found.why_none = (
            f"of messages that coders saw without a suggestion, at most {found.blind.high:.0%} would have been right; expected "
            f"{settings.precision * (1 - found.coder_error):.0%}"
        )
    if found.threshold is None:
        return
    above = [one for one in judged if one.confidence >= found.threshold]
    found.expected = wilson(sum(one.is_right for one in above), len(above))
    blind = [one for one in above if one.is_blind]
    found.blind = wilson(sum(one.is_right for one in blind), len(blind))
    found.blind_coverage = wilson(len(blind), sum(one.is_blind for one in judged))


def _too_rare(found: SchemeSuggestions) -> set[str]:
    """Find the codes that are ranked but never suggested, in a scheme of several codes a text."""
    return set(found.few_examples) if found.labelled.is_multiple else set()


def _judged(learnt: Learnt, columns: numpy.ndarray, settings: SuggestionSettings) -> list[Judged]:
    """List what would have been suggested for each example, if it were sure enough."""
    blind = [is_blind(example.message_id, settings.blind_share) for example in learnt.examples]
    if learnt.model.is_multiple:
        rows, cells = numpy.nonzero((learnt.chances > _LEAST_JUDGED) & columns)
    else:
        cells = learnt.chances.argmax(axis=1)
        rows = numpy.nonzero(columns[cells])[0]
        cells = cells[rows]
    found = zip(learnt.chances[rows, cells].tolist(), learnt.given[rows, cells].tolist(), rows.tolist(), strict=True)
    return [Judged(chance, is_right, blind[row]) for chance, is_right, row in found]


def _choose(found: SchemeSuggestions, blind: set[str], threshold: float) -> None:
    likely_control, too_rare = set(found.look_first), _too_rare(found)
    most = min(_MOST_OF_A_TEXT, len(found.labelled.copies)) if found.labelled.is_multiple else 1
    for one in found.labelled.open_texts:
        if not one.is_open or one.message_id in blind or one.message_id in likely_control or not has_words(one.text):
            continue
        chosen = [
            (code, chance)
            for code, chance in found.ranked[one.message_id][:most]
            if chance >= threshold and code not in too_rare
        ]
        if chosen:
            found.suggested[one.message_id] = chosen
