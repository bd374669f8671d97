"""Ids of one person: rows of a file in LinkedParticipants, the first id of which counts.

Raw data keep their ids. Stage 3 takes the runs of all ids of a row for those of the first, so that consent is one, too.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy

from engagement.configuration import PipelineConfiguration
from engagement.configuration.participant_ids import find_strict_id_problem
from engagement.foundation.errors import ConfigurationError, InputError, UsageError, listing
from engagement.foundation.partitions import hash_uid
from engagement.processing.records.raw_runs import LineLocations, RunPlaces

# The start of the hash of an id that is not the first of its row, and that of the first.
LINK = numpy.dtype([("hash", "<u8"), ("first", "<u8")])
_HEADING = "uid"
_WHAT = "a CSV whose rows hold the ids of one person each, in columns 'uid', 'uid_2' and so on"


@dataclass(frozen=True)
class ParticipantLinks:
    """Every id that is not the first of its row, and the first.

    >>> links = ParticipantLinks({"b": "a", "c": "a"})
    >>> links.first("c"), links.first("d"), sorted(links.all_of(["b"])), sorted(links.all_of(["d"]))
    ('a', 'd', ['a', 'b', 'c'], ['d'])
    """

    firsts: Mapping[str, str] = field(default_factory=dict)

    def first(self, uid: str) -> str:
        """Return the id that counts for a participant."""
        return self.firsts.get(uid, uid)

    def all_of(self, uids: Iterable[str]) -> frozenset[str]:
        """Return all ids of the people behind some ids."""
        found = frozenset(map(self.first, uids))
        return found.union(other for other, first in self.firsts.items() if first in found) if self.firsts else found

    def count_people(self, uids: Collection[str]) -> int:
        """Count the people behind some ids."""
        return len(frozenset(map(self.first, uids))) if self.firsts else len(uids)

    def share[T](self, by_uid: dict[str, list[T]]) -> dict[str, list[T]]:
        """Give every id of a person what all of their ids have, the first id's first.

        >>> links = ParticipantLinks({"b": "a", "c": "a"})
        >>> links.share({"d": [4], "b": [2], "a": [1]})
        {'d': [4], 'b': [1, 2], 'a': [1, 2], 'c': [1, 2]}
        """
        if not self.firsts:
            return by_uid
        people: dict[str, list[str]] = {}
        for other, first in self.firsts.items():
            people.setdefault(first, [first]).append(other)
        shared = dict(by_uid)
        for uids in people.values():
            everything = [one for uid in uids for one in by_uid.get(uid, ())]
            shared |= dict.fromkeys(uids, everything) if everything else {}
        return shared


NO_LINKS = ParticipantLinks()


def load_links(configuration: PipelineConfiguration, folder: Path) -> ParticipantLinks:
    """Read the files in LinkedParticipants; `folder` is that of the configuration.

    Raises
    ------
    ConfigurationError
        A file is missing, or holds something else than ids of participants, each in one row.
    """
    rows: dict[str, str] = {}
    firsts: dict[str, str] = {}
    for name in configuration.linked_participants:
        problems = []
        for number, uids in _read_rows(folder / name):
            place = f"{name}, row {number}"
            found = list(_find_problems(uids, rows, configuration.participant_prefix))
            problems += [f"row {number}: {problem}" for problem in found]
            rows |= dict.fromkeys(uids, place)
            firsts |= dict.fromkeys(uids[1:], uids[0])
        if problems:
            raise ConfigurationError(
                f"{folder / name}: {listing(problems, 20)}\nExpected two or more ids a row as in the column 'uid' of the outputs, "
                f"like '{configuration.participant_prefix}<uuid>', each id in one row alone. Correct the file."
            )
    return ParticipantLinks(firsts)


def _read_rows(path: Path) -> list[tuple[int, list[str]]]:
    # Imported here, as few projects have links.
    from engagement.foundation.sheets import fold_name, read_sheet

    try:
        sheet = read_sheet(path, _WHAT)
    except (InputError, UsageError) as error:
        raise ConfigurationError(str(error)) from None
    columns = [place for place, heading in enumerate(sheet.header) if fold_name(heading).startswith(_HEADING)]
    if len(columns) < 2:  # noqa: PLR2004  # One person has at least two ids.
        raise ConfigurationError(
            f"{path}, row 1: {len(columns)} columns whose names begin with 'uid'; expected {_WHAT}. Name them so."
        )
    return [(row.number, [cell for place in columns if (cell := row.cells[place])]) for row in sheet.rows]


def _find_problems(uids: list[str], rows: Mapping[str, str], prefix: str) -> Iterable[str]:
    """Find the problems of a row, without showing what is in it."""
    if len(uids) < 2:  # noqa: PLR2004  # As above.
        yield f"{'one id' if uids else 'no id'} alone"
    for number, uid in enumerate(uids, 1):
        problem = find_strict_id_problem(uid, prefix)
        if problem is not None:
            yield f"id {number} {problem}"
        elif uid in uids[: number - 1]:
            yield f"id {number} is in the row twice"
        elif uid in rows:
            yield f"id {number} is in {rows[uid]} as well"


def make_link_records(links: ParticipantLinks) -> numpy.ndarray:
    """Make the record of each id that is not the first of its row, in the order of the hashes."""
    records = numpy.array([(_start_of_hash(uid), _start_of_hash(first)) for uid, first in links.firsts.items()], LINK)
    records.sort(order="hash")
    return records


def link_lines(lines: LineLocations, links: numpy.ndarray) -> LineLocations:
    """Give the lines of linked participants the hash of the first id."""
    if not len(links):
        return lines
    places = lines.places.copy()
    found = numpy.minimum(numpy.searchsorted(links["hash"], places["hash"]), len(links) - 1)
    are_linked = links["hash"][found] == places["hash"]
    places["hash"][are_linked] = links["first"][found[are_linked]]
    # A participant's lines are in the order of the files, as if they had one id from the start.
    order = numpy.lexsort((places["offset"], places["file"], places["hash"]))
    return LineLocations(places[order], lines.digests[order])


def link_places(places: RunPlaces, lines: LineLocations, links: ParticipantLinks) -> RunPlaces:
    """Have the places of linked `lines` read for the first ids."""
    return replace(places, places=lines.places, firsts=links.firsts) if links.firsts else places


def count_unknown(links: ParticipantLinks, lines: LineLocations) -> int:
    """Count the ids in the files that have no run among the lines, as they were fetched."""
    return sum(not lines.has_runs(uid) for uid in {*links.firsts, *links.firsts.values()})


def _start_of_hash(uid: str) -> int:
    return int(hash_uid(uid)[:16], 16)
