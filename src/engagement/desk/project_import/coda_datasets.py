"""Names of an old project's datasets in Coda, which stand in the scripts that downloaded them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.shell_text import ScriptCommand, read_commands

_SCRIPTS: Final = ("run_scripts/1_*coda*get*.sh", "1_*coda*get*.sh", "**/*coda*get*.sh")
_GET: Final = re.compile(r"(.*/)?get\.py")
_ENDING: Final = ".json"
_MOST_BYTES: Final = 500_000


@dataclass(frozen=True)
class DownloadedDataset:
    """A dataset as a script downloads it: its name in Coda, and where that stands."""

    name: str
    script: str
    line: int

    @property
    def is_known(self) -> bool:
        """False where a variable stands in the name whose value only the caller of the script knew."""
        return "$" not in self.name and "`" not in self.name


@dataclass
class DatasetNames:
    """Names in Coda of the datasets that the old scripts downloaded, by the file of each."""

    downloads: dict[str, list[DownloadedDataset]] = field(default_factory=dict)
    unread_scripts: list[str] = field(default_factory=list)

    def name_file(self, old_file: str, pipeline: str, migration: Migration) -> str:
        """Return the CodaFilename of an old coda_filename: the dataset's name in Coda with .json.

        `pipeline` is the name of the pipeline or of its file: of several scripts, the one that names it counts.
        """
        dataset = old_file.removesuffix(_ENDING)
        found = self._choose(dataset, pipeline)
        names = list(dict.fromkeys(download.name for download in found))
        if not found:
            self._tell_unknown(old_file, dataset, migration)
            return old_file
        where = f"{found[0].script}:{found[0].line}"
        if not found[0].is_known:
            migration.to_decide(
                f"coda_filename {old_file}",
                f"{where} downloads {found[0].name!r}, with a variable that only the caller knew. {old_file!r} stays: write the "
                "dataset's name in Coda, or no label is found and stage 4 makes a new dataset.",
            )
            return old_file
        if len(names) > 1:
            migration.to_decide(
                f"coda_filename {old_file}",
                f"the scripts download it from {' and '.join(map(repr, names))}. {names[0]!r} is taken: check it in Coda.",
            )
        new_file = f"{names[0]}{_ENDING}"
        if new_file != old_file:
            migration.changed(
                f"coda_filename {old_file}",
                f"now {new_file!r}, after the dataset's name in Coda ({where}).",
            )
            migration.changed(
                "Coded Coda Files",
                "their files have the old names; stage 1 downloads each dataset under its name in Coda.",
            )
        return new_file

    def _tell_unknown(self, old_file: str, dataset: str, migration: Migration) -> None:
        for script in self.unread_scripts:
            migration.to_decide(
                script, "no download from Coda was found in it. Check the name of each CodaFilename in Coda."
            )
        known = {(old, download.name) for old, found in self.downloads.items() for download in found}
        # Where no script puts anything before the names, they are the same in Coda.
        if any(old != name for old, name in known):
            migration.to_decide(
                f"coda_filename {old_file}",
                f"no script downloads {dataset!r}, so its name in Coda is not known. {old_file!r} stays: check it in Coda.",
            )

    def _choose(self, dataset: str, pipeline: str) -> list[DownloadedDataset]:
        found = self.downloads.get(dataset, [])
        own = [download for download in found if _is_script_of(download.script, pipeline)]
        return own or found


def read_dataset_names(old_folder: Path) -> DatasetNames:
    """Read the scripts 1_*coda_get.sh of an old project as text."""
    names = DatasetNames()
    for path in _find_scripts(old_folder):
        script = path.relative_to(old_folder).as_posix()
        commands = read_commands(_read_script(path))
        found = [pair for command in commands for pair in _find_downloads(command, script)]
        for dataset, download in found:
            known = names.downloads.setdefault(dataset, [])
            if all((download.name, download.script) != (other.name, other.script) for other in known):
                known.append(download)
        if not found:
            names.unread_scripts.append(script)
    return names


def _read_script(path: Path) -> str:
    """Return a script's text; nothing of one that can't be read or is too long, which is told later."""
    try:
        return "" if path.stat().st_size > _MOST_BYTES else path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _find_scripts(old_folder: Path) -> list[Path]:
    for pattern in _SCRIPTS:
        found = sorted(path for path in old_folder.glob(pattern) if path.is_file())
        if found:
            return found
    return []


def _find_downloads(command: ScriptCommand, script: str) -> Iterator[tuple[str, DownloadedDataset]]:
    position = next((n for n, word in enumerate(command.words) if _GET.fullmatch(word)), None)
    if position is None:
        return
    words = command.words[position + 1 :]
    # get.py [--previous-export-file-path FILE] AUTH DATASET messages
    what = next((n for n, word in enumerate(words) if word in ("messages", "schemes", "all")), None)
    if not what or words[what] == "schemes":
        return
    name = words[what - 1]
    files = list(dict.fromkeys(stem for word in (*words, *command.body) if (stem := _stem_of_file(word)) is not None))
    yield (files[0] if files else name), DownloadedDataset(name, script, command.line)


def _stem_of_file(word: str) -> str | None:
    """Return the name of the dataset whose file a word names; None if it names none.

    >>> _stem_of_file("$DATA_ROOT/Coded Coda Files/s01e01.json"), _stem_of_file("FILE=x/s01e01.json"), _stem_of_file("$AUTH")
    ('s01e01', 's01e01', None)
    """
    name = PurePosixPath(word.partition("=")[2] or word).name
    is_file = name.endswith(_ENDING) and "$" not in name and "*" not in name
    return name.removesuffix(_ENDING) if is_file else None


def _is_script_of(script: str, pipeline: str) -> bool:
    """Tell whether a script is that of a pipeline, like 1_s01_coda_get.sh and FARAX_s01."""
    match = re.fullmatch(r"1_(?P<word>.+?)_coda_get\.sh", PurePosixPath(script).name)
    words = re.split(r"[^a-z0-9]+", pipeline.lower())
    return match is not None and set(re.split(r"[^a-z0-9]+", match["word"].lower())) <= set(words)
