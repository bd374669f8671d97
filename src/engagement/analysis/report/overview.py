"""The top of the report: what it is made from, what is new, and how sure its numbers are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engagement.analysis.report.agreement import tabulate_agreement
from engagement.analysis.report.coder_agreement import CoderAgreement
from engagement.analysis.report.labels import say_labels, tabulate_labels
from engagement.analysis.report.last_run import compare_shares
from engagement.analysis.report.suggestions import tabulate_suggestions
from engagement.analysis.report.tables import SMALL_BASE_MARK, PageTable, make_table
from engagement.analysis.tables.intervals import SMALL_BASE, Share
from engagement.analysis.tables.label_origins import LabelOrigins
from engagement.analysis.tables.season import Season
from engagement.foundation.errors import count_of
from engagement.pipeline.outputs.analysis_files import TIME


@dataclass(frozen=True)
class RunFact:
    """A fact of the run, with its name."""

    name: str
    text: str


@dataclass(frozen=True)
class PageSummary:
    """The top of the page."""

    facts: Sequence[RunFact]
    news: Sequence[str]
    moved: PageTable | None
    sure: Sequence[str]
    tables: Sequence[PageTable]


@dataclass(frozen=True)
class Certainty:
    """How far coders agree, who made the labels, and the rows of suggestions.csv; none may be known."""

    agreement: CoderAgreement
    labels: Sequence[LabelOrigins]
    suggestions: Sequence[Sequence[str]] = ()


def summarise_run(
    season: Season,
    figures: Mapping[str, Any],
    last: Mapping[str, Any] | None,
    certainty: Certainty,
    revision: str,
) -> PageSummary:
    """Sum up the run, and compare it with the last one if there is one."""
    news, moved = _tell_news(season, figures, last)
    suggestions = tabulate_suggestions(certainty.suggestions)
    return PageSummary(
        facts=list(_list_facts(season, figures, certainty, revision)),
        news=news,
        moved=moved,
        sure=list(_tell_how_sure(season, figures, certainty)),
        tables=[
            *([tabulate_labels(certainty.labels)] if certainty.labels else []),
            *([suggestions] if suggestions else []),
            *tabulate_agreement(certainty.agreement),
        ],
    )


def say_period(season: Season) -> str:
    """Return the days of the first and the last message, in the project's time zone."""
    times = season.messages.column(TIME)
    if not len(times):
        return "no message yet"
    first, last = (time.tz_convert(season.time_zone).date().isoformat() for time in (times.min(), times.max()))
    return f"{first} to {last}"


def _list_facts(season: Season, figures: Mapping[str, Any], certainty: Certainty, revision: str) -> Iterator[RunFact]:
    funnel = season.funnel
    unlabelled = figures["texts"] - figures["labelled"]
    share = f" ({100 * unlabelled / figures['texts']:.1f} %)" if figures["texts"] else ""
    yield RunFact("Period", say_period(season))
    yield RunFact("Run", f"outputs of {season.source.timestamp[:16].replace('T', ' ')} UTC")
    yield RunFact("Version of the pipeline", revision[:12])
    yield RunFact("Messages", f"{len(season.messages):,}")
    yield RunFact("Participants", f"{len(season.individuals):,}")
    yield RunFact("Withdrew, in no number here", count_of(funnel.withdrawn_participants, "participant"))
    yield RunFact("Texts not labelled yet", f"{unlabelled:,} of {figures['texts']:,}{share}")
    if certainty.labels:
        yield RunFact("How sure we are: labels", say_labels(certainty.labels))


def _tell_news(
    season: Season, figures: Mapping[str, Any], last: Mapping[str, Any] | None
) -> tuple[list[str], PageTable | None]:
    if last is None:
        return ["This is the first report: the next one says here what changed."], None
    compared, moved = compare_shares(season, last)
    since = last["run"][:16].replace("T", " ")
    news = [
        f"Since the outputs of {since} UTC: {_say_change(figures['messages'] - last['messages'], 'message')}, "
        f"{_say_change(figures['participants'] - last['participants'], 'participant')}, "
        f"{_say_change(figures['labelled'] - last['labelled'], 'labelled text')}."
    ]
    # Figures that an earlier version kept do not say how many had withdrawn.
    withdrawn = figures["withdrawn"] - last.get("withdrawn", figures["withdrawn"])
    if withdrawn > 0:
        news.append(f"{count_of(withdrawn, 'more participant')} withdrew: none of their messages count any more.")
    if not compared:
        return [*news, "Too few participants joined any episode since to compare shares."], None
    by_chance = f"about {0.05 * compared:.1f} of them would by chance alone"
    news.append(
        f"{count_of(len(moved), 'share')} of {compared:,} moved by more than chance; {by_chance}. Compared are the participants "
        "who got a theme since with those who had one before, as these are different people."
    )
    rows = [
        [one.episode, one.theme, _say_share(one.before), _say_share(one.added), _say_share(one.now),
         f"{one.interval[0]:+.1f} to {one.interval[1]:+.1f}"]
        for one in sorted(moved, key=lambda one: -max(abs(one.interval[0]), abs(one.interval[1])))
    ]  # fmt: skip
    header = ["Episode", "Theme", "Before", "Added since", "Now", "Difference, 95 % interval (points)"]
    notes = ["Intervals of differences: Newcombe (1998), method 10."]
    if any(SMALL_BASE_MARK in cell for row in rows for cell in row):
        notes.append(f"{SMALL_BASE_MARK} of fewer than {SMALL_BASE} participants.")
    return news, make_table("Shares that moved by more than chance", header, rows, notes=notes) if rows else None


def _say_change(change: int, what: str) -> str:
    return f"{count_of(change, f'new {what}')}" if change >= 0 else f"{count_of(-change, f'{what}')} fewer"


def _say_share(pair: tuple[int, int]) -> str:
    mark = SMALL_BASE_MARK if pair[1] < SMALL_BASE else ""
    return f"{Share(*pair).percent:.1f} % of {pair[1]:,}{mark}"


def _tell_how_sure(season: Season, figures: Mapping[str, Any], certainty: Certainty) -> Iterator[str]:
    agreed = list(certainty.agreement.say())
    if agreed:
        yield f"Coders agree, on all codes together: {'; '.join(agreed)}."
    else:
        yield "How far coders agree is not known: no coders' sheets were compared (engagement.sh icr with --data-root)."
    if figures["labelled"] < figures["texts"]:
        yield "What is not labelled yet is in no theme: shares can move when it is, and not by chance."
    errors = len(season.coding_errors)
    if errors:
        yield f"{count_of(errors, 'text')} with labels that contradict each other: see Data quality."
    guessed = [str(coding.analysis_file_key) for _, coding in season.questions if season.basis(coding).guesses]
    if guessed:
        yield f"Partly guessed, and then in no share: {', '.join(guessed)}."
