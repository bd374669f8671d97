"""Everything that decides an analysis, as digests: what is the same makes the same files.

Nothing that could change a file may be left out; what changes none costs a run at worst. Reading a file whole is quick beside
what is made from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from engagement.foundation.errors import InputError
from engagement.foundation.files import digest_file, read_json
from engagement.foundation.own_code import describe_own_code
from engagement.foundation.revision import find_revision
from engagement.foundation.time_zones import digest_time_zone
from engagement.labelling.agreement.places import results_folder
from engagement.labelling.suggestions.results import result_files
from engagement.pipeline.outputs.analysis_files import analysis_folder, season_path
from engagement.pipeline.outputs.places import current_outputs

# Where fontconfig and matplotlib look for fonts.
_FONTS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")


class AnalysisFacts(msgspec.Struct, frozen=True):
    """The part of a project's files that decides the analysis.

    `settings` is a digest; `files` and `boundaries` are beside the configuration, a shapefile with others of its name.
    """

    name: str
    time_zone: str
    settings: str
    files: list[str]
    boundaries: list[str]
    datasets: list[str]


@dataclass(frozen=True)
class InputDigests:
    """`everything` decides all files; `tables` decides those that do not tell of the run of stage 3."""

    everything: str
    tables: str


def digest_inputs(
    configuration: Path, facts: AnalysisFacts, data_root: Path, digest: Callable[[Path], str] = digest_file
) -> InputDigests:
    """Digest the program, the configuration with the files that it names, and what stages 3 and icr left.

    `configuration` is where the pipeline configuration is. `digest` is for the downloads from Coda, by far the largest files, which stage 3 digested before.
    """
    folder = analysis_folder(data_root)
    season = season_path(folder)
    run, found = _read_season(season)
    common = [
        describe_own_code(),
        platform.python_version(),
        sorted(_list_packages()),
        sorted(_list_fonts()),
        digest_time_zone(facts.time_zone),
        facts.name,
        facts.settings,
        found,
        *map(_describe, sorted(path for path in folder.glob("*") if path != season)),
        *map(_describe, sorted(results_folder(data_root).glob("*.json"))),
        *map(_describe, _list_named_files(configuration.parent, facts)),
        *(_describe(data_root / "Coded Coda Files" / f"{name}.json", digest) for name in facts.datasets),
        *map(_describe, result_files(current_outputs(data_root))),
    ]
    # The page names the version.
    return InputDigests(_digest([*common, run, find_revision()]), _digest(common))


def _digest(description: Any) -> str:
    return hashlib.sha256(json.dumps(description).encode()).hexdigest()


def _describe(path: Path, digest: Callable[[Path], str] = digest_file) -> list[str]:
    return [path.name, digest(path) if path.is_file() else ""]


def _read_season(path: Path) -> tuple[Any, Any]:
    """Read the run of stage 3 and what it found; a file without a run counts as a finding."""
    try:
        document = read_json(path, InputError)
        return document.pop("run"), document
    except (InputError, AttributeError, KeyError, TypeError):
        return None, _describe(path)


def _list_packages() -> Iterator[str]:
    """List the installed packages with their versions, by the folders that installers leave."""
    for folder in sys.path:
        if Path(folder).is_dir():
            yield from (path.name for path in Path(folder).iterdir() if path.suffix in (".dist-info", ".egg-info"))


def _list_fonts() -> Iterator[str]:
    for folder in _FONTS:
        for parent, _, names in os.walk(Path(folder).expanduser()):
            yield from (f"{parent}/{name}" for name in names)


def _list_named_files(folder: Path, facts: AnalysisFacts) -> Iterator[Path]:
    """List the files that the settings of the analysis name; a shapefile with those beside it."""
    for name in facts.files:
        yield folder / name
    for name in facts.boundaries:
        path = folder / name
        if path.parent.is_dir():
            yield from sorted(one for one in path.parent.iterdir() if one.stem == path.stem)
