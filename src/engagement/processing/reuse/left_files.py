"""Tell whether everything is as the last run of stage 3 left it, so that it can be left alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engagement.foundation.errors import InputError
from engagement.foundation.file_stamps import stamp_of
from engagement.foundation.files import read_json
from engagement.pipeline.outputs.analysis_files import analysis_folder
from engagement.pipeline.outputs.places import AUTOMATED_ANALYSIS, current_outputs
from engagement.processing import lost_withdrawals
from engagement.processing.reuse.note_files import NOTES, VERSION, digest_notes, notes_folder
from engagement.sources.manifest import FileVersion

# They say what a run replaced or was told to accept, which is not so in the next one.
SAID_ONCE = (
    "engagement.pipeline.outputs.message_counts",
    "engagement.processing.lost_withdrawals",
    "engagement.processing.unlinked_withdrawals",
)


@dataclass(frozen=True)
class LastRun:
    """The run that the notes are of: its time, the raw files as it read them, its warnings and counts.

    `verified` are the versions of raw files that it compared with the manifest of stage 2.
    """

    time: str
    raw_files: Mapping[str, list[int]]
    verified: Mapping[str, FileVersion]
    warnings: tuple[str, ...]
    counts: Mapping[str, int]


def describe_left(data_root: Path, outputs: Path, analysis: Path) -> dict[str, list[int]]:
    """Stamp all files that stage 3 leaves in Outputs/ and State/, and what it was told to accept.

    Of State/ these are analysis/ and suggestions/; the notes have digests.
    """
    found = {}
    suggestions = data_root / "State" / "suggestions"
    for name, folder in (("Outputs", outputs), ("State/analysis", analysis), ("State/suggestions", suggestions)):
        for path in sorted(folder.rglob("*")):
            inner = path.relative_to(folder)
            # Stage 5 owns one folder; those that begin with a dot are scratch.
            if inner.parts[0] != AUTOMATED_ANALYSIS and not inner.parts[0].startswith(".") and path.is_file():
                found[f"{name}/{inner}"] = stamp_of(path)
    accepted = lost_withdrawals.accepted_path(data_root)
    if accepted.exists():
        found[f"State/{accepted.name}"] = stamp_of(accepted)
    return found


def describe_run(time: str, warnings: list[str], counts: Mapping[str, int]) -> dict[str, Any]:
    """Describe a run for its notes."""
    return {"time": time, "warnings": warnings, "counts": dict(counts)}


def read_last_run(data_root: Path, settings: Mapping[str, str]) -> LastRun | None:
    """Read the last run from its notes; None if what it left, or a setting, is not as it was."""
    folder = notes_folder(data_root)
    try:
        document = read_json(folder / NOTES, InputError)
        if (
            document["version"] != VERSION
            or document["maker"] != settings
            or document["left"] != describe_left(data_root, current_outputs(data_root), analysis_folder(data_root))
            or document["notes"] != digest_notes(folder)
        ):
            return None
        run = document["run"]
        return LastRun(
            run["time"],
            document["raw files"],
            {name: FileVersion(*version) for name, version in document["verified"].items()},
            tuple(run["warnings"]),
            run["counts"],
        )
    except (InputError, OSError, KeyError, TypeError, ValueError, AttributeError):
        return None
