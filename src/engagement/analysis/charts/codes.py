"""Content of the charts of themes and answers: participants by a scheme's codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engagement.analysis.charts.drawing import BarChart, Bars
from engagement.analysis.tables.intervals import SMALL_BASE, SMALLEST_BASE, WHAT_INTERVALS_SAY, Share
from engagement.analysis.tables.season import Season
from engagement.analysis.tables.values import Value, say_guess
from engagement.configuration import Code, CodeType, CodingConfiguration, ControlCode
from engagement.foundation.errors import count_of

_MOST_BARS_WITH_ZEROS = 30
_MOST_NAMED = 40
_FEWEST_OF_A_SCALE = 15  # this many numbers are a scale, like ages, not a list
_DID_NOT_ANSWER = (ControlCode.NA, ControlCode.NS)
ELSEWHERE_NAME = "elsewhere"
WHAT_IS_ELSEWHERE = "Elsewhere: the place that they named has none of these."


def name_of(code: Code) -> str:
    """Return a code's name for readers."""
    return code.display_text.strip() or code.string_value


@dataclass(frozen=True)
class ChartEntry:
    """A line of a chart or a table of values.

    It holds the number of answers and of guesses, whether the value is an answer at all, and its StringValue.
    """

    name: str
    count: int
    guesses: dict[str, int]
    is_answer: bool
    value: str = ""


def list_entries(season: Season, coding: CodingConfiguration, is_episode: bool) -> list[ChartEntry]:
    """List a coding's values to show: answers first, then used codes that are not answers.

    For an episode, lists only participants who responded: the others would drown them out.
    """
    left_out = (ControlCode.STOP, *(_DID_NOT_ANSWER if is_episode else ()))
    values = [value for value in season.values(coding) if value.code.control_code not in left_out]
    entries = [_entry(value) for value in _order(values)]
    elsewhere = sum(value.elsewhere for value in values)
    if elsewhere:
        place = sum(entry.is_answer for entry in entries)
        entries.insert(place, ChartEntry(ELSEWHERE_NAME, elsewhere, {}, is_answer=False))
    return [entry for entry in entries if entry.is_answer or entry.count]


def _entry(value: Value) -> ChartEntry:
    return ChartEntry(
        name_of(value.code), value.plain, dict(value.guesses), value.code.is_normal, value.code.string_value
    )


def has_answers(coding: CodingConfiguration) -> bool:
    """Tell whether a scheme has answer or theme codes; others have nothing to chart."""
    return any(code.is_normal for code in coding.code_scheme.codes)


def chart_codes(season: Season, coding: CodingConfiguration, is_episode: bool) -> BarChart:
    """Chart participants by code: themes or answers first, codes about the coding in grey."""
    basis = season.basis(coding)
    if _is_scale(coding):
        return _chart_scale(season, coding)
    shown, unused = drop_unused(list_entries(season, coding, is_episode))
    counts = [one.count for one in shown]
    bases = [basis.answered if one.is_answer else 0 for one in shown]
    series = [bars_with_shares(season, "answered" if basis.guesses else "", counts, bases)]
    for source in basis.guesses:
        guessed = tuple(one.guesses.get(source, 0) for one in shown)
        texts = tuple(write_count(season, count) if count else "" for count in guessed)
        series.append(Bars(f"{say_guess(source)}: no answer", guessed, texts, is_guess=True))
    return BarChart(
        title=title_of(coding, is_episode),
        subtitle=say_basis(season, coding, is_episode),
        value_axis="Participants",
        labels=tuple(one.name for one in shown),
        series=tuple(series),
        asides=tuple(not one.is_answer for one in shown),
        notes=tuple(_write_notes(season, coding, is_episode, shown, unused)),
    )


def bars_with_shares(season: Season, name: str, counts: Sequence[int], bases: Sequence[int]) -> Bars:
    """Build bars for counts, with each one's share of its base, if it has one, and the interval."""
    shares = [Share(count, base) if base >= SMALLEST_BASE else None for count, base in zip(counts, bases, strict=True)]
    return Bars(
        name,
        tuple(counts),
        tuple(write_count(season, count, share) for count, share in zip(counts, shares, strict=True)),
        tuple(_in_participants(share) if share else None for share in shares),
    )


def _in_participants(share: Share) -> tuple[float, float]:
    low, high = share.interval
    return low * share.base / 100, high * share.base / 100


def say_basis(season: Season, coding: CodingConfiguration, is_episode: bool) -> str:
    """Describe the base of a chart's numbers."""
    basis = season.basis(coding)
    if is_episode:
        return f"n = {count_of(basis.answered, 'participant')} with a theme; shares are of them"
    shares = "shares are of them" if basis.is_told_by_number else "shares are of those who answered"
    return f"n = {basis.say()}; {shares}"


def title_of(coding: CodingConfiguration, is_episode: bool) -> str:
    """Return the title: the key used in the tables, and the code scheme's name if it differs."""
    key, name = str(coding.analysis_file_key), coding.code_scheme.name
    if is_episode:
        return f"Themes of {key} ({name})"
    spoken = key.replace("_", " ").strip()
    says_more = not {*re.findall(r"\w+", name.casefold())} <= {*spoken.casefold().split()}
    return f"Participants by {spoken} ({name})" if says_more else f"Participants by {name or spoken}"


def write_count(season: Season, count: int, share: Share | None = None) -> str:
    """Write a count beside a bar: marked if small, with its share and interval if it has them."""
    return f"{count:,}{mark_small(season, count)}" + (f" ({share.say()})" if share else "")


def mark_small(season: Season, count: int) -> str:
    """Add an asterisk to a count small enough to identify somebody; zero is not small."""
    return "*" if 0 < count < season.small_count_threshold else ""


def note_on_small(season: Season, counts: Iterable[int]) -> tuple[str, ...]:
    """Explain the asterisk, if there is one."""
    if not any(mark_small(season, count) for count in counts):
        return ()
    return (f"* fewer than {season.small_count_threshold} participants",)


def mark_small_base(season: Season, base: int) -> str:
    """Add a dagger to a base whose shares say little, or that has none."""
    return "†" if 0 < base < max(SMALL_BASE, season.small_count_threshold) else ""


def note_on_base(season: Season, base: int) -> tuple[str, ...]:
    """Warn of shares of very few participants."""
    if 0 < base < SMALLEST_BASE:
        return (f"† Small base: there is no percentage of fewer than {SMALLEST_BASE} participants.",)
    few = max(SMALL_BASE, season.small_count_threshold)
    return (
        (f"† Small base: shares of fewer than {few} participants say little.",) if mark_small_base(season, base) else ()
    )


def note_on_intervals(base: int) -> tuple[str, ...]:
    """Explain the lines over bars, if there are shares."""
    return (f"Lines: {WHAT_INTERVALS_SAY}",) if base >= SMALLEST_BASE else ()


def _write_notes(
    season: Season,
    coding: CodingConfiguration,
    is_episode: bool,
    shown: Sequence[ChartEntry],
    unused: Sequence[ChartEntry],
) -> Iterable[str]:
    total = count_of(len(season.individuals), "participant")
    codes = season.individuals.codes(coding)
    grey = "" if all(one.is_answer for one in shown) else " Grey: codes that are no {}."
    if is_episode:
        responded = int(codes.responded.sum())
        yield f"{responded:,} of {total} responded; one may have several themes.{grey.format('theme')}"
        if not codes.answered.any() and responded:
            yield "No theme yet: coders have not found or not labelled any."
    else:
        yield f"{total} in all.{grey.format('answer')}"
    if any(one.name == ELSEWHERE_NAME and not one.is_answer for one in shown):
        yield WHAT_IS_ELSEWHERE
    if unused:
        named = ", ".join(one.name for one in unused[:_MOST_NAMED])
        more = f" and {len(unused) - _MOST_NAMED} more" if len(unused) > _MOST_NAMED else ""
        yield f"Nobody has: {named}{more}."
    base = season.basis(coding).answered
    yield from note_on_base(season, base)
    yield from note_on_small(season, [count for one in shown for count in (one.count, *one.guesses.values())])
    yield from note_on_intervals(base)


def _is_scale(coding: CodingConfiguration) -> bool:
    numbers = [code for code in coding.code_scheme.codes if code.is_normal]
    return len(numbers) >= _FEWEST_OF_A_SCALE and all(code.string_value.isdecimal() for code in numbers)


def _chart_scale(season: Season, coding: CodingConfiguration) -> BarChart:
    """Chart a scale such as ages, in order; other codes are only listed below."""
    values = [value for value in season.values(coding) if value.code.control_code is not ControlCode.STOP]
    numbers = sorted((one for one in values if one.code.is_normal), key=lambda one: int(one.code.string_value))
    aside = [one for one in values if not one.code.is_normal and one.plain]
    others = [f"{name_of(one.code)} {one.plain:,}{mark_small(season, one.plain)}" for one in aside]
    counts = tuple(one.plain for one in numbers)
    return BarChart(
        title=title_of(coding, is_episode=False),
        subtitle=f"n = {season.basis(coding).say()}",
        value_axis="Participants",
        label_axis=coding.code_scheme.name,
        labels=tuple(one.code.string_value for one in numbers),
        series=(Bars("", counts, tuple(f"{count:,}" for count in counts)),),
        notes=(
            f"{count_of(len(season.individuals), 'participant')} in all.",
            *([f"Not shown: {', '.join(others)}."] if others else []),
            *([f"Bars of fewer than {season.small_count_threshold} participants may tell who somebody is."] if any(
                mark_small(season, count) for count in counts) else []),
            *note_on_small(season, (one.plain for one in aside)),
        ),
        is_upright=True,
    )  # fmt: skip


def _order(values: Sequence[Value]) -> list[Value]:
    """Sort codes: themes and answers, then Meta codes, then Control codes.

    All are sorted by size, except scales such as age groups, which keep the scheme's order.
    """
    normal = [value for value in values if value.code.is_normal]
    if not all(value.code.string_value[:1].isdecimal() for value in normal):
        # "Other" says least, whatever its size.
        normal.sort(key=lambda value: ("other" in value.code.string_value.casefold().split("_"), -value.plain))
    others = [value for value in values if not value.code.is_normal]
    others.sort(key=lambda value: (value.code.code_type is CodeType.CONTROL, -value.plain))
    return normal + others


def order_themes(season: Season, episode: CodingConfiguration) -> list[Code]:
    """Return an episode's themes in the order of its chart."""
    return [value.code for value in _order(season.values(episode)) if value.code.is_normal]


def drop_unused(entries: list[ChartEntry]) -> tuple[list[ChartEntry], list[ChartEntry]]:
    """Split off the entries that nobody has, if there are many entries."""
    is_used = [bool(one.count or one.guesses) for one in entries]
    if len(entries) <= _MOST_BARS_WITH_ZEROS or not any(is_used):
        return entries, []
    return (
        [one for one, used in zip(entries, is_used, strict=True) if used],
        [one for one, used in zip(entries, is_used, strict=True) if not used],
    )
