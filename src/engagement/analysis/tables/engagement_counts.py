"""Participation: messages and participants of each episode, and how often participants came back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
import pandas

from engagement.analysis.tables.coded_table import CodedTable, any_of
from engagement.analysis.tables.percentages import percentage
from engagement.configuration import CodingConfiguration


def count_engagement(
    messages: CodedTable,
    individuals: CodedTable,
    episodes: Sequence[CodingConfiguration],
    withdrawn_messages: int,
    withdrawn_individuals: int,
) -> pandas.DataFrame:
    """Return the columns of engagement_counts.csv: a row for each coding of `episodes`, then "Total".

    "Total" counts a row of `messages` once.

    Participants who withdrew are only in the two plain totals.
    """
    totals = (len(messages) + withdrawn_messages, len(individuals) + withdrawn_individuals)
    rows = [
        _count(str(episode.analysis_file_key), messages, individuals, [episode], ("-", "-")) for episode in episodes
    ]
    return pandas.DataFrame([*rows, _count("Total", messages, individuals, episodes, totals)])


def _count(
    name: str,
    messages: CodedTable,
    individuals: CodedTable,
    episodes: Sequence[CodingConfiguration],
    totals: tuple[int | str, int | str],
) -> dict[str, int | str]:
    return {
        "Dataset": name,
        "Total Messages": totals[0],
        "Total Messages with Opt-Ins": int(any_of(messages, episodes, "responded").sum()),
        "Total Labelled Messages": int(any_of(messages, episodes, "labelled").sum()),
        "Total Relevant Messages": int(any_of(messages, episodes, "relevant_message").sum()),
        "Total Participants": totals[1],
        "Total Participants with Opt-Ins": int(any_of(individuals, episodes, "responded").sum()),
        "Total Relevant Participants": int(any_of(individuals, episodes, "relevant_individual").sum()),
    }


def count_repeat_participations(individuals: CodedTable, episodes: Sequence[CodingConfiguration]) -> pandas.DataFrame:
    """Return the columns of repeat_participations.csv.

    For each n up to the number of episodes, it counts who responded in exactly n.
    """
    times = numpy.zeros(len(individuals), dtype=numpy.int64)
    for episode in episodes:
        times += individuals.codes(episode).responded
    counts = numpy.bincount(times, minlength=len(episodes) + 1)[1:].tolist()
    return pandas.DataFrame(
        {
            "Number of Episodes Participated In": range(1, len(episodes) + 1),
            "Number of Participants with Opt-Ins": counts,
            "% of Participants with Opt-Ins": [percentage(count, sum(counts)) for count in counts],
        }
    )
