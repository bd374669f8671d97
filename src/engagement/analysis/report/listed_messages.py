"""Messages for the page's lists: as participants wrote them, with what the gate lets through.

Phone numbers are masked as in what is uploaded. With k-anonymity the page forgets the group of a participant whose
answers too few share, and of every message in a cell that is held back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import pandas

from engagement.analysis.report.breakdowns import HELD_BACK, ThemeCounts
from engagement.analysis.tables.coded_table import CodedTable, Mask, Numbers
from engagement.configuration import CodingConfiguration, CodingPlan
from engagement.configuration.disclosure import PhoneNumberPolicy
from engagement.foundation.shown_text import clean
from engagement.pipeline.coding.cleaning.phone_numbers import mask_phone_numbers
from engagement.pipeline.outputs.analysis_files import RUN_ID, TIME

MOST_MESSAGES = 20_000
_MOST_BYTES = 3_000_000
_SHORTEST_NUMBER = 7
_RUNS_AT_A_TIME = 65_536


def find_written(messages: CodedTable, plan: CodingPlan, episode: CodingConfiguration) -> Numbers:
    """Find the rows of an episode's messages that have a text."""
    has_text = messages.texts(plan).cat.codes.to_numpy() >= 0
    return numpy.flatnonzero(has_text & messages.codes(episode).responded)


def choose_rows(
    messages: CodedTable, episodes: Sequence[tuple[CodingPlan, CodingConfiguration]]
) -> tuple[list[Numbers], list[int]]:
    """Choose each episode's rows to list: all, or a stable sample if they are too many for a page.

    Returns the rows, and how many messages each episode has.

    A hash of the run chooses: one more message changes at most one of them.
    """
    rows = [find_written(messages, plan, episode) for plan, episode in episodes]
    if not rows:
        return rows, []
    ranks = _rank_runs(messages)
    sizes = []
    for (plan, _), found in zip(episodes, rows, strict=True):
        texts = messages.texts(plan).cat
        lengths = numpy.array([len(text.encode(errors="replace")) for text in texts.categories], dtype=numpy.int64)
        sizes.append(numpy.minimum(lengths[texts.codes.to_numpy()[found]], 3000))
    every_rank = numpy.concatenate([ranks[found] for found in rows])
    order = numpy.argsort(every_rank, kind="stable")[:MOST_MESSAGES]
    order = order[numpy.cumsum(numpy.concatenate(sizes)[order]) <= _MOST_BYTES]
    is_chosen = numpy.zeros(len(every_rank), dtype=bool)
    is_chosen[order] = True
    ends = numpy.cumsum([len(found) for found in rows])[:-1]
    chosen = [found[is_listed] for found, is_listed in zip(rows, numpy.split(is_chosen, ends), strict=True)]
    return chosen, list(map(len, rows))


def _rank_runs(messages: CodedTable) -> numpy.ndarray:
    """Hash the run of each row, a stretch of runs at a time.

    Each row has its own run, and texts take ten times the memory."""
    runs, places = messages.distinct(RUN_ID)
    stretches = (runs.slice(start, _RUNS_AT_A_TIME) for start in range(0, len(runs), _RUNS_AT_A_TIME))
    hashes = [pandas.util.hash_array(some.to_numpy(zero_copy_only=False), categorize=False) for some in stretches]
    ranks: numpy.ndarray = numpy.concatenate([*hashes, numpy.array([], numpy.uint64)])[places]
    return ranks


@dataclass(frozen=True)
class GroupedMessages:
    """Groups of each message, the counts behind them, and the messages whose group must not be told."""

    groups: Numbers
    counts: ThemeCounts
    withheld: Mask


def list_messages_of(
    messages: CodedTable,
    plan: CodingPlan,
    episode: CodingConfiguration,
    rows: Numbers,
    shown: Sequence[int],
    groupings: Mapping[str, GroupedMessages],
    time_zone: Any,
    policy: PhoneNumberPolicy,
) -> dict[str, Any]:
    """List some rows for the page: texts once each, and for each message its text, codes, day and groups.

    Sorted by time. `shown` are the places of the scheme's codes that the page knows, in its order.
    """
    times = messages.column(TIME)
    rows = rows[numpy.argsort(times.iloc[rows].astype("int64").to_numpy(), kind="stable")]
    texts, codes = messages.texts(plan).cat, messages.codes(episode)
    numbers, distinct = pandas.factorize(texts.codes.to_numpy()[rows])
    combinations, known = pandas.factorize(codes.numbers[rows])
    held = codes.holds[known][:, list(shown)]
    days = times.iloc[rows].dt.tz_convert(time_zone).dt.strftime("%Y-%m-%d")
    day_numbers, distinct_days = pandas.factorize(days)
    return {
        "texts": [_pass_text(text, policy) for text in texts.categories[distinct]],
        "text": numbers.tolist(),
        "codes": [numpy.flatnonzero(row).tolist() for row in held],
        "code": combinations.tolist(),
        "days": list(distinct_days),
        "day": day_numbers.tolist(),
        "groups": {key: _tell_groups(one, rows, held[combinations]) for key, one in groupings.items()},
    }


def _tell_groups(grouped: GroupedMessages, rows: Numbers, held: Mask) -> list[int]:
    """Return each message's group, HELD_BACK where it, or one of the message's cells, must not be told."""
    groups = numpy.where(grouped.withheld[rows], HELD_BACK, grouped.groups[rows])
    is_hidden = numpy.array([[count is None for count in row] for row in grouped.counts.counts], dtype=bool)
    if is_hidden.any():
        # Without a value stands last.
        in_cell = is_hidden[:, groups].T if len(groups) else numpy.zeros(held.shape, dtype=bool)
        groups = numpy.where((in_cell & held).any(axis=1) & (groups != HELD_BACK), HELD_BACK, groups)
    told: list[int] = groups.tolist()
    return told


def _pass_text(text: str, policy: PhoneNumberPolicy) -> str:
    is_masked = policy is not PhoneNumberPolicy.ALLOW and len(text) >= _SHORTEST_NUMBER
    return clean(mask_phone_numbers(text) if is_masked else text)
