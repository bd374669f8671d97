"""Data of the episodes for the page's choosers and lists, as one JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from engagement.analysis.charts.codes import name_of, order_themes
from engagement.analysis.report.breakdowns import (
    NEW_AND_RETURNING,
    Grouping,
    count_by_group,
    find_groups,
    find_new,
    hold_back_levels,
    list_groupings,
    number_participants,
    shown_codes,
)
from engagement.analysis.report.figures import make_anchor
from engagement.analysis.report.listed_messages import GroupedMessages, choose_rows, list_messages_of
from engagement.analysis.statistics.participation import participation_of
from engagement.analysis.tables.coded_table import Numbers
from engagement.analysis.tables.intervals import SMALL_BASE, SMALLEST_BASE
from engagement.analysis.tables.rare_participants import find_rare, withheld_codings
from engagement.analysis.tables.season import Season
from engagement.configuration import CodingConfiguration


def make_document(season: Season) -> dict[str, Any]:
    """Gather what the page's script works with: groups, counts and messages of each episode."""
    is_held_back = season.project.configuration.disclosure.k_anonymity is not None
    groupings = [*list_groupings(season), NEW_AND_RETURNING]
    episodes = _gather_episodes(season, groupings, season.small_count_threshold if is_held_back else None)
    return {
        "smallCount": season.small_count_threshold,
        "smallBase": SMALL_BASE,
        "smallestBase": SMALLEST_BASE,
        "groupings": [{"key": one.key, "title": one.title, "groups": list(one.groups)} for one in groupings],
        "episodes": episodes,
    }


def _gather_episodes(season: Season, groupings: Sequence[Grouping], below: int | None) -> list[dict[str, Any]]:
    participation, participants = participation_of(season), number_participants(season)
    are_rare_people = find_rare(season.project, season.individuals, season.breakdowns)
    is_rare_message = numpy.isin(participants[1], numpy.unique(participants[0][are_rare_people]))
    held_back = withheld_codings(season.project, season.breakdowns) if below is not None else []
    withheld = {coding.coded_field for coding in held_back}
    groups = {
        one.key: [find_groups(season.individuals, one.coding), _make_small(find_groups(season.messages, one.coding))]
        for one in groupings
        if one.coding is not None
    }
    nobody = numpy.zeros(len(season.messages), dtype=bool)
    gathered = []
    chosen, written = choose_rows(season.messages, season.episodes)
    for number, ((plan, episode), rows) in enumerate(zip(season.episodes, chosen, strict=True)):
        codes, shown = season.individuals.codes(episode), _order_shown(season, episode)
        is_new = participation.is_new(plan)
        pairs = {
            one.key: groups[one.key] if one.coding is not None else [find_new(is_new, who) for who in participants]
            for one in groupings
        }
        counts = {one.key: count_by_group(codes, pairs[one.key][0], len(one.groups), shown, below) for one in groupings}
        for levels in list_levels(season, groupings):
            counts.update(zip(levels, hold_back_levels([counts[key] for key in levels]), strict=True))
        by_group = {}
        for one in groupings:
            is_withheld = one.coding is not None and one.coding.coded_field in withheld
            are_rare = is_rare_message if is_withheld else nobody
            by_group[one.key] = GroupedMessages(pairs[one.key][1], counts[one.key], are_rare)
        gathered.append(
            {
                "key": str(episode.analysis_file_key),
                "anchor": make_anchor(str(episode.analysis_file_key)),
                "themes": [_describe(episode, place) for place in shown],
                "n": codes.count()[shown].tolist(),
                "base": int(codes.relevant_individual.sum()),
                "by": {key: one.counts.document() for key, one in by_group.items()},
                "written": written[number],
                "messages": list_messages_of(
                    season.messages, plan, episode, rows, shown, by_group, season.time_zone,
                    season.project.configuration.disclosure.phone_numbers,
                ),
            }
        )  # fmt: skip
    return gathered


def list_levels(season: Season, groupings: Sequence[Grouping]) -> list[list[str]]:
    """List the keys of the breakdowns that are of one question, like the region and the state of a place."""
    plans = season.project.coding_plans.all
    return [[one.key for one in groupings if one.coding in plan.coding_configurations] for plan in plans]


def _make_small(groups: Numbers) -> Numbers:
    """Keep the groups of a million messages in a quarter of the memory."""
    return groups.astype(numpy.int16)


def _order_shown(season: Season, episode: CodingConfiguration) -> list[int]:
    """Put themes first, in the order of the chart, then the other codes."""
    places = {code.code_id: place for place, code in enumerate(episode.code_scheme.codes)}
    themes = [places[code.code_id] for code in order_themes(season, episode)]
    return [*themes, *(place for place in shown_codes(episode) if place not in set(themes))]


def _describe(episode: CodingConfiguration, place: int) -> dict[str, Any]:
    code = episode.code_scheme.codes[place]
    return {"name": name_of(code), "value": code.string_value, "isTheme": code.is_normal}
