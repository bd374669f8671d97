"""Lists of participants that others made: CSVs with a column of ids.

They say who came to a session, or whom not to write to.
Only the ids are read: names and whatever else stands beside them go no further than this module.
"""

from dataclasses import dataclass
from pathlib import Path

from engagement.configuration.participant_ids import find_id_problem
from engagement.foundation.errors import ConfigurationError, InputError, UsageError, listing
from engagement.foundation.sheets import Sheet, fold_name, read_sheet

_WHAT = "a CSV with a column of participants' ids"
_HEADINGS = frozenset(
    map(fold_name, ("uid", "participant", "participant_uuid", "avf_phone_uuid", "avf_participant_uuid", "avf_phone_id"))
)


@dataclass(frozen=True)
class ParticipantList:
    """The ids of a file, each once; `lines` are the rows, of which `without_id` have no id."""

    path: Path
    uids: frozenset[str]
    lines: int
    without_id: int


def read_participant_list(path: Path, prefix: str) -> ParticipantList:
    """Read the ids in a file; `prefix` is what the project's own begin with.

    Raises
    ------
    ConfigurationError
        There is no such file, no column of ids, or something else among them; with the numbers of the rows.
    """
    try:
        sheet = read_sheet(path, _WHAT)
    except (InputError, UsageError) as error:
        raise ConfigurationError(str(error)) from None
    # Without a heading the first row is one of the list.
    has_heading = all(find_id_problem(cell, prefix) is not None for cell in sheet.header)
    rows = [(row.number, row.cells) for row in sheet.rows]
    if not has_heading:
        rows.insert(0, (1, sheet.header))
    if not rows:
        return ParticipantList(path, frozenset(), 0, 0)
    column = _find_column(sheet, [cells for _, cells in rows], prefix)
    problems = [
        f"row {number}: what is there {problem}"
        for number, cells in rows
        if cells[column] and (problem := find_id_problem(cells[column], prefix)) is not None
    ]
    if problems:
        raise ConfigurationError(
            f"{path}: {listing(problems, 20)}\nExpected ids as in the column 'uid' of the outputs, like '{prefix}<uuid>'. "
            "Correct the file."
        )
    filled = [cells[column] for _, cells in rows if cells[column]]
    return ParticipantList(path, frozenset(filled), len(rows), len(rows) - len(filled))


def _find_column(sheet: Sheet, rows: list[tuple[str, ...]], prefix: str) -> int:
    """Find the column of ids: by its heading, else by what is in it."""
    found = [position for position, heading in enumerate(sheet.header) if fold_name(heading) in _HEADINGS]
    if not found:
        found = [
            position
            for position in range(len(sheet.header))
            if any(cells[position] and find_id_problem(cells[position], prefix) is None for cells in rows)
        ]
    if len(found) != 1:
        raise ConfigurationError(
            f"{sheet.path}: {len(found) or 'no'} columns of participants' ids; expected one, with 'uid' as its heading. "
            "Name it so."
        )
    return found[0]
