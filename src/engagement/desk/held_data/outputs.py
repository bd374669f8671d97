"""A person's rows in Outputs/, which the next run of stages 3 and 5 makes without them."""

from collections.abc import Iterator

from engagement.configuration.field_names import UID_FIELD
from engagement.custody.retention import aged_files
from engagement.custody.retention.state_notes import remove_state_notes
from engagement.desk.held_data.person import PersonSearch
from engagement.desk.held_data.place import HeldItem
from engagement.foundation.files import reading_csv

BY_NEXT_RUN = "made again by the next run of stages 3 and 5"


def find_rows(search: PersonSearch) -> Iterator[HeldItem]:
    """Find the rows of CSVs that have their uid."""
    for path in sorted((search.data_root / "Outputs").rglob("*.csv")):
        with reading_csv(path) as rows:
            header = next(rows, [])
            if UID_FIELD not in header:
                continue
            column = header.index(UID_FIELD)
            for row in rows:
                if row[column] in search.uids:
                    content = dict(zip(header, row, strict=True))
                    yield HeldItem(search.name_of(path), "row", content, BY_NEXT_RUN)


def find_nothing(search: PersonSearch) -> Iterator[HeldItem]:
    """Find nothing that could be shown."""
    yield from ()


def remove_notes(search: PersonSearch) -> None:
    """Remove what stage 3 keeps, and what retention notes of the ages and people of all."""
    aged_files.remove_notes(search.data_root)
    remove_state_notes(search.data_root)
