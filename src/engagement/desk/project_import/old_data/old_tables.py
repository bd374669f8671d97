"""Match the rows of an old and a new messages.csv or individuals.csv."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engagement.configuration.field_names import CONSENT_FIELD, UID_FIELD
from engagement.foundation.csv_cells import remove_guard
from engagement.foundation.errors import InputError
from engagement.foundation.files import reading_csv
from engagement.pipeline.outputs.rows import WITHDRAWN

# Stands between the cells of a row; a code's value never holds it.
_BETWEEN = "\x1f"


@dataclass(frozen=True)
class TableColumns:
    """Coded columns and texts to compare, by their new names; old names where they differ."""

    coded: Sequence[str]
    texts: Sequence[str]
    old_names: Mapping[str, str] = field(default_factory=dict)
    are_messages: bool = True


@dataclass
class OldTable:
    """Rows of those who did not withdraw, by key: their codes as one text, and their texts."""

    rows: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    withdrawn: int = 0
    texts: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """Count all rows."""
        return self.withdrawn + sum(map(len, self.rows.values()))


@dataclass(frozen=True)
class RowPairs:
    """Matched rows: how often each pair of codes differs; and rows of one side only.

    `doubled` of those only in the old table are further rows of a message that is in both; `of_withdrawn` are of participants
    of whom the new table has none.
    """

    changes: Counter[tuple[str, str]]
    only_old: Counter[str]
    only_new: Counter[str]
    doubled: int
    of_withdrawn: int


def split_codes(codes: str) -> list[str]:
    """Return the cells of a row's codes."""
    return codes.split(_BETWEEN)


def read_table(path: Path, columns: TableColumns, is_old: bool) -> OldTable:
    """Read a table's rows, with the columns to compare in their order.

    Raises
    ------
    InputError
        There is no such file, it is no table, or a row has more or fewer cells than the header.
    """
    table = OldTable()
    names = columns.old_names if is_old else {}
    with reading_csv(path) as lines:
        header = next(lines, [])
        places = {name: place for place, name in enumerate(header)}
        coded, texts = (
            [places[names.get(column, column)] for column in several] for several in (columns.coded, columns.texts)
        )
        uid = next((places[name] for name in (UID_FIELD, "avf_phone_id", "participant_uuid") if name in places), None)
        if uid is None:
            raise InputError(f"{path}, line 1: no column 'uid'; expected a table of the pipeline.")
        consent = places.get(CONSENT_FIELD)
        for number, cells in enumerate(lines, 2):
            if len(cells) != len(header):
                raise InputError(f"{path}, row {number}: {len(cells)} cells; expected {len(header)}, as in the header.")
            if cells[uid].upper() == WITHDRAWN or (consent is not None and cells[consent].casefold() == "true"):
                table.withdrawn += 1
                continue
            written = [remove_guard(cells[place]) for place in texts]
            table.texts.update(column for column, text in zip(columns.texts, written, strict=True) if text)
            key = _BETWEEN.join([cells[uid], *(written if columns.are_messages else [])])
            # Wrong-scheme moves put a text into another column.
            moved = _BETWEEN.join([cells[uid], *sorted(filter(None, written))]) if columns.are_messages else cells[uid]
            table.rows.setdefault(key, []).append((_BETWEEN.join([cells[place] for place in coded]), moved))
    return table


def match_rows_of(old: OldTable, new: OldTable) -> RowPairs:
    """Match the rows of both: by participant and texts, then by participant and texts in any column."""
    changes: Counter[tuple[str, str]] = Counter()
    left: tuple[dict[str, list[str]], dict[str, list[str]]] = {}, {}
    doubled = 0
    for key in old.rows.keys() | new.rows.keys():
        sides = old.rows.get(key, []), new.rows.get(key, [])
        if sides[0] == sides[1]:
            continue
        more = _pair([codes for codes, _ in sides[0]], [codes for codes, _ in sides[1]], changes)
        if sides[1]:
            doubled += len(more[0])
        for side, codes, rows in zip(left, more, sides, strict=True):
            if codes:
                side.setdefault(rows[0][1], []).extend(codes)
    only_old: Counter[str] = Counter()
    only_new: Counter[str] = Counter()
    of_withdrawn = 0
    present = {_uid_of(key) for key in new.rows}
    for moved in left[0].keys() | left[1].keys():
        more = _pair(left[0].get(moved, []), left[1].get(moved, []), changes)
        only_old.update(more[0])
        only_new.update(more[1])
        of_withdrawn += len(more[0]) if _uid_of(moved) not in present else 0
    return RowPairs(changes, only_old, only_new, min(doubled, only_old.total()), of_withdrawn)


def _uid_of(key: str) -> str:
    return key.partition(_BETWEEN)[0]


def _pair(old: Sequence[str], new: Sequence[str], changes: Counter[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Pair like rows with like rows, then the rest in order; return what is left of both."""
    before, after = Counter(old), Counter(new)
    rest = sorted((before - after).elements()), sorted((after - before).elements())
    for pair in zip(*rest, strict=False):
        changes[pair] += 1
    common = min(map(len, rest))
    return rest[0][common:], rest[1][common:]
