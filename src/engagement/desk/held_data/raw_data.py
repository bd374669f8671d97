"""A person's runs in Raw Data/. Other lines keep their bytes, so their chains verify as before."""

import json
from collections.abc import Iterator
from pathlib import Path

from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.custody.retention.texts import raw_files
from engagement.desk.held_data.person import PersonSearch
from engagement.desk.held_data.place import HeldItem
from engagement.provenance import read_traced_data
from engagement.sources.manifest import RawDataWriter


def find_runs(search: PersonSearch) -> Iterator[HeldItem]:
    """Find their runs, with everything that was set in each."""
    for path in raw_files(search.data_root):
        for record in read_traced_data(path):
            if record.values.get(PARTICIPANT_KEY) in search.uids:
                yield HeldItem(search.name_of(path), "run", {**record.values, "history": _history(record.encode())})


def _history(encoded: str) -> list[object]:
    updates: list[object] = json.loads(encoded)
    return updates


def remove_runs(search: PersonSearch) -> None:
    """Write the files that have their runs again without them."""
    files = raw_files(search.data_root)
    writer = RawDataWriter(search.data_root / "Raw Data")
    changed = []
    for path in files:
        kept = [record.values.get(PARTICIPANT_KEY) not in search.uids for record in read_traced_data(path)]
        if not all(kept):
            writer.write(path, _read_kept(path, kept))
            changed.append(path)
    if files:
        # Also after a kill: the manifest then still names two versions.
        writer.finish(files)


def _read_kept(path: Path, kept: list[bool]) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from (line for line, is_kept in zip(file, kept, strict=True) if is_kept)
