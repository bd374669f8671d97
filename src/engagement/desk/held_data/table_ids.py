"""A person's ids in the uuid table: the last of all places to be emptied."""

from collections.abc import Iterator

from engagement.desk.held_data.person import PersonSearch
from engagement.desk.held_data.place import HeldItem

KEPT = "kept, as --keep-uuid-table-row says; other projects may need it"


def find_ids(search: PersonSearch) -> Iterator[HeldItem]:
    """Find their ids; what they are is not shown."""
    if search.table is not None and search.uids:
        name = f"uuid table {search.project.configuration.phone_number_uuid_table.table_name!r}"
        for _ in range(search.table.count_ids(search.uids)):
            yield HeldItem(name, "number or other id with its uid", {}, KEPT if search.keeps_ids else "")


def remove_ids(search: PersonSearch) -> None:
    """Remove their ids, by whose marks stage 2 still knows whom to leave out."""
    if search.table is not None and not search.keeps_ids:
        search.table.remove(search.uids)
