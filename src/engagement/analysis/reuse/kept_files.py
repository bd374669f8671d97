"""The files of an analysis and their inputs, noted beside them, so that nothing is made twice.

A file that somebody changed, removed or added makes the note worthless: the digests of all files are part of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engagement.analysis.reuse.inputs import InputDigests
from engagement.foundation.errors import InputError
from engagement.foundation.files import digest_file, explain_os_errors, make_directory, read_json, write_json

NOTE = "kept_files.json"
_TABLES = (".csv", ".parquet")


def note_files(folder: Path, inputs: InputDigests, counts: Mapping[str, int]) -> None:
    """Note what the folder's files were made from, with the counts that the run reported."""
    write_json(
        folder / NOTE,
        {
            "everything": inputs.everything,
            "tables": inputs.tables,
            "counts": dict(counts),
            "files": _digest_files(folder),
        },
    )


def find_kept_counts(folder: Path, inputs: InputDigests) -> dict[str, int] | None:
    """Return the counts of the run that made the folder if this one would make the same; else None."""
    note = _read_note(folder)
    if note.get("everything") != inputs.everything or note.get("files") != _digest_files(folder):
        return None
    counts: dict[str, int] = note["counts"]
    return counts


def keep_tables(current: Path, building: Path, inputs: InputDigests) -> int:
    """Copy an earlier analysis' tables if this one would make the same; return how many, else 0."""
    note = _read_note(current)
    noted = {name: digest for name, digest in note.get("files", {}).items() if name.endswith(_TABLES)}
    if note.get("tables") != inputs.tables or noted != _digest_files(current, _TABLES):
        return 0
    for name in noted:
        make_directory((building / name).parent)
        with explain_os_errors(building / name):
            shutil.copyfile(current / name, building / name)
    return len(noted)


def _read_note(folder: Path) -> dict[str, Any]:
    """Read the note; empty if there is none that can be read, so everything is made."""
    path = folder / NOTE
    try:
        note = read_json(path, InputError) if path.exists() else {}
    except InputError:
        return {}
    is_whole = isinstance(note, dict) and note.keys() == {"everything", "tables", "counts", "files"}
    return note if is_whole and all(isinstance(note[name], dict) for name in ("counts", "files")) else {}


def _digest_files(folder: Path, endings: str | tuple[str, ...] = "") -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.name.endswith(endings) and path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: digest_file(path) for name, path in names.items() if name != NOTE}
