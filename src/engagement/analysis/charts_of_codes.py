"""What the charts of themes and answers show: how participants are distributed over the codes of a scheme."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engagement.analysis.charts_drawing import BarChart, Bars
from engagement.analysis.season import Season
from engagement.configuration import Code, CodeType, CodingConfiguration, ControlCode

_MOST_BARS_WITH_ZEROS = 30
_MOST_NAMED = 40
_FEWEST_OF_A_SCALE = 15  # so many numbers are a scale, like ages, and no list
_DID_NOT_ANSWER = (ControlCode.NA, ControlCode.NS)


def name_of(code: Code) -> str:
    """What a code is called for people to read."""
    return code.display_text.strip() or code.string_value


def find_gender(season: Season) -> CodingConfiguration | None:
    """The coding of the participants' gender, if the project has one: by its cleaner, else by its name."""
    codings = [coding for plan in season.project.coding_plans.demographic for coding in plan.coding_configurations]
    for is_gender in (
        lambda coding: (coding.cleaner or "").endswith(".gender"),
        lambda coding: (coding.analysis_file_key or "").casefold().split("_")[-1] in ("gender", "sex"),
    ):
        found = [coding for coding in codings if is_gender(coding)]
        if found:
            return found[0]
    return None


def chart_codes(season: Season, coding: CodingConfiguration, is_episode: bool) -> BarChart:
    """Participants with each code of a scheme: themes or answers first, codes about the coding in grey.

    Of an episode only those who responded are shown: nobody needs to see how many did not.
    """
    counts = dict(zip(coding.code_scheme.codes, map(int, season.count_codes(coding)), strict=True))
    codes = season.individuals.codes(coding)
    relevant = int(codes.relevant_individual.sum())
    what = "participants with a theme" if is_episode else "participants with an answer"
    left_out = (ControlCode.STOP, *(_DID_NOT_ANSWER if is_episode else ()))
    shown = [code for code in counts if code.control_code not in left_out]
    notes = _notes_on_coverage(season, coding, is_episode)
    if _is_scale(shown):
        return _chart_scale(season, coding, counts, shown)
    shown, unused = _drop_unused(_order(shown, counts), counts)
    if unused:
        named = ", ".join(name_of(code) for code in unused[:_MOST_NAMED])
        more = f" and {len(unused) - _MOST_NAMED} more" if len(unused) > _MOST_NAMED else ""
        notes = [*notes, f"Nobody has: {named}{more}."]
    values = tuple(counts[code] for code in shown)

    return BarChart(
        title=_title(coding, is_episode),
        subtitle=f"n = {relevant:,} {what}; shares are of them",
        value_axis="Participants",
        labels=tuple(name_of(code) for code in shown),
        series=(
            Bars("", values, tuple(_text(season, counts[code], relevant if code.is_normal else 0) for code in shown)),
        ),
        asides=tuple(not code.is_normal for code in shown),
        notes=(*notes, *_note_on_small(season, values)),
    )


def _title(coding: CodingConfiguration, is_episode: bool) -> str:
    """What is counted: the key that the tables have, and the code scheme's name unless both are the same words."""
    key, name = str(coding.analysis_file_key), coding.code_scheme.name
    if is_episode:
        return f"Themes of {key} ({name})"
    spoken = key.replace("_", " ").strip()
    says_more = not {*re.findall(r"\w+", name.casefold())} <= {*spoken.casefold().split()}
    return f"Participants by {spoken} ({name})" if says_more else f"Participants by {name or spoken}"


def _text(season: Season, count: int, base: int) -> str:
    share = f" ({100 * count / base:.1f} %)" if base and count <= base else ""
    return f"{count:,}{mark_small(season, count)}{share}"


def mark_small(season: Season, count: int) -> str:
    """An asterisk at a count so small that it may tell who somebody is; nobody is not small."""
    return "*" if 0 < count < season.small_count_threshold else ""


def _note_on_small(season: Season, counts: Sequence[int]) -> tuple[str, ...]:
    if not any(mark_small(season, count) for count in counts):
        return ()
    return (f"* fewer than {season.small_count_threshold} participants",)


def _notes_on_coverage(season: Season, coding: CodingConfiguration, is_episode: bool) -> list[str]:
    if not is_episode:
        return [f"{len(season.individuals):,} participants in all. Grey: codes that are no answer."]
    responded = int(season.individuals.codes(coding).responded.sum())
    of = f"{responded:,} of {len(season.individuals):,} participants responded; one may have several themes."
    return [f"{of} Grey: codes that are no theme."]


def _is_scale(codes: Sequence[Code]) -> bool:
    numbers = [code for code in codes if code.is_normal]
    return len(numbers) >= _FEWEST_OF_A_SCALE and all(code.string_value.isdecimal() for code in numbers)


def _chart_scale(
    season: Season, coding: CodingConfiguration, counts: dict[Code, int], shown: Sequence[Code]
) -> BarChart:
    """Numbers such as ages, in their order; whoever has none of them is only told of."""
    numbers = sorted((code for code in shown if code.is_normal), key=lambda code: int(code.string_value))
    others = [f"{name_of(code)} {counts[code]:,}" for code in shown if not code.is_normal and counts[code]]
    values = tuple(counts[code] for code in numbers)
    return BarChart(
        title=_title(coding, is_episode=False),
        subtitle=f"n = {sum(values):,} participants who told a number",
        value_axis="Participants",
        label_axis=coding.code_scheme.name,
        labels=tuple(code.string_value for code in numbers),
        series=(Bars("", values, tuple(f"{value:,}" for value in values)),),
        notes=(
            f"{len(season.individuals):,} participants in all.",
            *([f"Not shown: {', '.join(others)}."] if others else []),
        ),
        is_upright=True,
    )


def _order(codes: Sequence[Code], counts: dict[Code, int]) -> list[Code]:
    """Themes and answers by size, but a scale such as age groups as in the scheme; then Meta, then Control codes by size."""
    normal = [code for code in codes if code.is_normal]
    if not all(code.string_value[:1].isdecimal() for code in normal):
        # "Other" says least, whatever its size.
        normal.sort(key=lambda code: ("other" in code.string_value.casefold().split("_"), -counts[code]))
    others = [code for code in codes if not code.is_normal and counts[code]]
    others.sort(key=lambda code: (code.code_type is CodeType.CONTROL, -counts[code]))
    return normal + others


def _drop_unused(codes: list[Code], counts: dict[Code, int]) -> tuple[list[Code], list[Code]]:
    """The codes to show and, where there are many, those that nobody has apart."""
    if len(codes) <= _MOST_BARS_WITH_ZEROS or not any(counts[code] for code in codes):
        return codes, []
    return [code for code in codes if counts[code]], [code for code in codes if not counts[code]]


def chart_themes_by(
    season: Season, episode: CodingConfiguration, breakdown: CodingConfiguration, is_normalised: bool
) -> BarChart:
    """Participants with each theme, for each answer to another question, or their share of those who gave that answer.

    Shares are of the participants with any theme of the episode, so that groups of different sizes can be compared.
    """
    table = season.cross_tabulate(episode, breakdown)
    counts = dict(zip(episode.code_scheme.codes, map(int, season.count_codes(episode)), strict=True))
    themes, _ = _drop_unused(_order([code for code in counts if code.is_normal], counts), counts)
    answers = [code for code in breakdown.code_scheme.codes if code.is_normal]
    relevant = season.individuals.codes(episode).relevant_individual
    groups = season.individuals.codes(breakdown)
    series = []
    every_count: list[int] = []
    for answer in answers:
        size = int((groups.hold_any(lambda code, answer=answer: code is answer) & relevant).sum())
        found = [int(table.loc[theme.string_value, answer.string_value]) for theme in themes]
        every_count += found
        shares = [100 * count / size if size else 0.0 for count in found]
        texts = [
            (f"{share:.1f} %" if is_normalised else f"{count:,}") + mark_small(season, count)
            for share, count in zip(shares, found, strict=True)
        ]
        name = f"{name_of(answer)} (n = {size:,})"
        series.append(Bars(name, tuple(shares if is_normalised else found), tuple(texts)))
    key, by = episode.analysis_file_key, breakdown.code_scheme.name.casefold()
    of_each = f"of each {by}" if is_normalised else f"by {by}"
    return BarChart(
        title=f"Themes of {key} {of_each}: {'share of' if is_normalised else 'number of'} participants",
        subtitle=f"n = {int(relevant.sum()):,} participants with a theme; not shown: those of unknown {by}",
        value_axis=f"% of participants with a theme, of each {by}" if is_normalised else "Participants",
        labels=tuple(name_of(theme) for theme in themes),
        series=tuple(series),
        notes=_note_on_small(season, every_count),
    )
