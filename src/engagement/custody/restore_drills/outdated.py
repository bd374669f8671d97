"""Why outputs need not come out the same again: another version, or other data, made them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy

from engagement.configuration import Project
from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json
from engagement.foundation.record_files import read_records
from engagement.labelling.datasets.coded_labels import load_coded_datasets
from engagement.processing.reuse.note_files import NOTES, notes_folder
from engagement.processing.reuse.notes_writer import gather_labels
from engagement.processing.reuse.run_notes import CODED
from engagement.processing.reuse.settings import describe_settings
from engagement.sources.manifest import read_manifest


def read_mode(data_root: Path) -> str | None:
    """Return the mode of the run that made the outputs; None without its notes."""
    notes = _read_notes(data_root)
    return None if notes is None else notes["maker"]["the mode"]


def find_changes_since(project: Project, data_root: Path) -> Iterator[str]:
    """Say what changed since the run that made the outputs, by its notes in State/outputs/.

    Unlike those who reuse its results, this looks at contents alone: files were copied since.
    """
    notes = _read_notes(data_root)
    if notes is None:
        yield "the notes of the run that made Outputs/ are missing or damaged"
        return
    settings = describe_settings(project, notes["maker"]["the mode"])
    if notes["maker"].get("the pipeline") != settings["the pipeline"]:
        yield "another version of the pipeline made Outputs/"
    manifest = {
        name: [list(version) for version in versions]
        for name, versions in read_manifest(data_root / "Raw Data").items()
    }
    if any(name in manifest and version not in manifest[name] for name, version in notes["verified"].items()):
        yield "messages were fetched after Outputs/ were made"
    labels = gather_labels(project.coding_plans.all, load_coded_datasets(project, data_root)[0])
    try:
        noted = read_records(notes_folder(data_root) / "labels.array", CODED)
        is_same = bool(numpy.array_equal(numpy.sort(labels), numpy.sort(noted)))
    except InputError:
        is_same = False
    if not is_same:
        yield "labels changed after Outputs/ were made"


def _read_notes(data_root: Path) -> dict[str, Any] | None:
    try:
        notes = read_json(notes_folder(data_root) / NOTES, InputError)
        return {
            "maker": {"the mode": notes["maker"]["the mode"], **notes["maker"]},
            "verified": dict(notes["verified"]),
        }
    except (InputError, LookupError, TypeError, ValueError):
        return None
