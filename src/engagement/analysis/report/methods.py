"""A paragraph on methods with the project's own numbers, to paste into a paper."""

from __future__ import annotations

from collections.abc import Iterator

from engagement.analysis.report.overview import say_period
from engagement.analysis.tables.season import Season
from engagement.foundation.errors import count_of

REFERENCES = (
    "Brown, L. D., Cai, T. T., DasGupta, A. (2001). Interval estimation for a binomial proportion. Statistical Science 16, 101–133.",
    "Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the American "
    "Statistical Association 22, 209–212.",
)


def write_methods(season: Season, revision: str) -> list[str]:
    """Write the paragraphs, and the works that they cite."""
    return [
        " ".join(_tell_data(season)),
        " ".join(_tell_analysis(season, revision)),
        "References: " + " ".join(REFERENCES),
    ]


def _tell_data(season: Season) -> Iterator[str]:
    funnel, progress = season.funnel, season.coding_progress
    texts, labelled = int(progress["Distinct Texts"].sum()), int(progress["Labelled Texts"].sum())
    yield (
        f"We analysed {count_of(len(season.messages), 'text message')} from {count_of(len(season.individuals), 'participant')} to "
        f"{count_of(len(season.episodes), 'episode')} of an interactive radio show ({say_period(season)})."
    )
    dropped = sum(funnel.dropped.values())
    if dropped:
        reasons = "; ".join(f"{reason}: {count:,}" for reason, count in funnel.dropped.items() if count)
        yield f"Of {funnel.messages:,} messages received, {dropped:,} were left out ({reasons})."
    yield (
        f"{count_of(funnel.withdrawn_participants, 'participant')} withdrew consent; their {funnel.withdrawn_messages:,} messages are in no "
        "number. Phone numbers were replaced with random identifiers before anything was stored; one phone may be several people."
    )
    if texts:
        yield (
            f"Coders labelled {labelled:,} of {texts:,} distinct texts ({100 * labelled / texts:.1f} %) with the project's code schemes."
        )


def _tell_analysis(season: Season, revision: str) -> Iterator[str]:
    bases = [season.basis(episode).answered for _, episode in season.episodes]
    if bases:
        size = f"{min(bases):,} to {max(bases):,}" if min(bases) != max(bases) else f"{bases[0]:,}"
        yield (
            f"A theme's share is of the participants with at least one theme in the episode ({size} an episode); one participant may have "
            "several themes, and not to mention a theme is no opinion against it."
        )
    yield (
        "Intervals are 95 % Wilson score intervals without continuity correction (Wilson 1927; Brown et al. 2001). Participants chose to "
        "respond: the intervals describe chance among such participants, and do not generalise to listeners or to the population. No "
        f"percentage is given for fewer than 10 participants; counts under {season.small_count_threshold} are marked."
    )
    if season.project.configuration.disclosure.k_anonymity is not None:
        yield "Small cells, and cells from which one could be worked out, are held back."
    yield f"The analysis was made by the engagement pipeline, version {revision[:12]}."
